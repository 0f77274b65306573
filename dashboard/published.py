"""Queries on published marts. Each opens the file and closes it, so that the next one reads the next version.

The answer to a question is kept for all visitors as long as the version is active, so that a page that is shown again asks
nothing twice. So a query may depend on nothing but the version: no `now()`.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import duckdb
import pandas as pd
import streamlit as st

import settings as settings_module
from observability.health import publications
from publishing import readers
from publishing.marts import SCHEMA
from transformation.manifest import read_manifest
from warehouse import WarehouseBusyError, WarehouseError

# The attribute of rows with the names of the marts that they come from.
MARTS = "marts"
# Answers that are kept. A page asks about ten questions; most answers have less than 100 rows, the largest some thousand.
MAX_ANSWERS = 500


class NothingToShowError(LookupError):
    """What a query reads is not published; the message is for the visitor."""


def ask(domain: str, sql: str, parameters: Sequence[Any] | dict[str, Any] | None = None) -> pd.DataFrame:
    """Return the rows of a query on a domain's published marts.

    Args:
        domain: whose marts.
        sql: the query; its tables are in the schema `marts`.
        parameters: the parameters of the query, by position or by name.

    Raises:
        NothingToShowError: the domain is not published, or lacks what the query reads.
    """
    command = f"`sluice {domain if domain in settings_module.PLATFORM else f'run {domain}'}`"
    settings = settings_module.load()
    try:
        while True:
            version = readers.active_identity(domain, settings)
            with suppress(_ReplacedError):
                return _answer(str(settings.data_dir), domain, version, sql, parameters)
    except readers.NotPublishedError as error:
        raise NothingToShowError(f"Nothing of {domain} is published yet. Run {command}.") from error
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        missing = str(error).splitlines()[0]
        raise NothingToShowError(
            f"The published version of {domain} is too old for this page ({missing}). Run {command}."
        ) from error
    except (duckdb.IOException, WarehouseBusyError, WarehouseError) as error:
        reason = str(error).splitlines()[0]
        raise NothingToShowError(f"The published version of {domain} cannot be read: {reason}") from error


class _ReplacedError(Exception):
    """Another version was published between two looks at it."""


@st.cache_data(max_entries=MAX_ANSWERS, show_spinner=False)
def _answer(
    data_dir: str,
    domain: str,
    version: readers.Identity,
    sql: str,
    parameters: Sequence[Any] | dict[str, Any] | None,
) -> pd.DataFrame:
    """Return the rows of a query on one version; an error is not kept."""
    with readers.open_published(domain, settings_module.load()) as published:
        if published.identity != version:
            raise _ReplacedError
        published.execute("set TimeZone = 'UTC'")
        data = published.execute(sql, parameters).df()
    # pandas keeps it in what is computed from the rows; a chart links to where they come from.
    data.attrs[MARTS] = sorted({f"{SCHEMA}.{name}" for name in readers.TABLE.findall(sql)})
    return data


def ask_row(domain: str, sql: str, parameters: Sequence[Any] | dict[str, Any] | None = None) -> pd.Series:
    """Return the first row of `ask`."""
    return ask(domain, sql, parameters).iloc[0]


def ask_if_published(
    domain: str, sql: str, parameters: Sequence[Any] | dict[str, Any] | None = None
) -> pd.DataFrame:
    """Return the rows of `ask`, or an empty frame if nothing is published."""
    try:
        return ask(domain, sql, parameters)
    except NothingToShowError:
        return pd.DataFrame()


def described_columns(domain: str) -> pd.DataFrame:
    """Return the columns of a domain's published tables: domain, table, column, type and description.

    Raises:
        NothingToShowError: the domain is not published.
    """
    columns = ask(
        domain,
        "select table_name as table, column_name as column, data_type as type"
        " from information_schema.columns where table_schema = 'marts' order by table_name, ordinal_position",
    )
    described = _descriptions()
    texts = [described.get((row.table, row.column), "") for row in columns.itertuples()]
    return columns.assign(domain=domain, description=texts)


def _descriptions() -> dict[tuple[str, str], str]:
    """Return the descriptions of columns in dbt's manifest, by table and column; none if there is no manifest."""
    manifest = settings_module.load().manifest
    if not manifest.exists():
        return {}
    return {
        (node["alias"], name): column["description"]
        for node in read_manifest(manifest).nodes.values()
        if node["resource_type"] == "model"
        for name, column in node["columns"].items()
    }


def names() -> list[str]:
    """Return everything that is published: the domains and the platform's own."""
    return readers.published_names(settings_module.load())


def domains() -> list[str]:
    """Return the domains that have published something."""
    return publications.published_domains(settings_module.load())


def published_at(domain: str) -> datetime | None:
    """Return when a domain was last published (UTC)."""
    return readers.published_at(domain, settings_module.load())
