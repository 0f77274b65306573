"""Queries on what is published. Each opens it and closes it, so that the next one sees the next version."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import duckdb
import pandas as pd

import settings as settings_module
from observability.health import publications
from publishing import readers
from publishing.readers import open_published
from warehouse import WarehouseBusyError, WarehouseError


class NothingToShowError(LookupError):
    """What a query reads is not published; the message is a sentence for people."""


def ask(domain: str, sql: str, parameters: Sequence[Any] | dict[str, Any] | None = None) -> pd.DataFrame:
    """Rows of a query on a domain's published file.

    Args:
        domain: whose file.
        sql: the query; its tables are in the schema `marts`.
        parameters: the parameters of the query, by position or by name.

    Raises:
        NothingToShowError: there is no such file, or it lacks what the query reads.
    """
    settings = settings_module.load()
    how = "`sluice health`" if domain in settings_module.PLATFORM else f"`sluice run {domain}`"
    try:
        with open_published(domain, settings) as published:
            published.execute("set TimeZone = 'UTC'")
            return published.execute(sql, parameters).df()
    except readers.NotPublishedError as error:
        raise NothingToShowError(f"Nothing of {domain} has been published yet. {how} does it.") from error
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        missing = str(error).splitlines()[0]
        raise NothingToShowError(
            f"The published {domain} is of an earlier version ({missing}). {how} publishes it anew."
        ) from error
    except (duckdb.IOException, WarehouseBusyError, WarehouseError) as error:
        raise NothingToShowError(
            f"What is published of {domain} cannot be read: {str(error).splitlines()[0]}"
        ) from error


def ask_if_published(
    domain: str, sql: str, parameters: Sequence[Any] | dict[str, Any] | None = None
) -> pd.DataFrame:
    """The same as `ask`, but without rows and columns where nothing is published."""
    try:
        return ask(domain, sql, parameters)
    except NothingToShowError:
        return pd.DataFrame()


def domains() -> list[str]:
    """The domains that have published something."""
    return publications.domains(settings_module.load())


def published_at(domain: str) -> datetime | None:
    """When a domain was published last, UTC."""
    return readers.published_at(domain, settings_module.load())
