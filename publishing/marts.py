"""The tables that a domain publishes, as dbt's manifest describes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from publishing.errors import PublishError
from transformation.manifest import MARTS, ManifestError, read_manifest

SCHEMA = MARTS
# The schema of the views per month (see the macro month_views).
MONTH_VIEWS_SCHEMA = "monthly"
# Tests whose columns identify rows, here or in another table, and so are no measures.
KEY_TESTS = ("unique", "primary_key", "unique_combination_of_columns")


@dataclass(frozen=True)
class Mart:
    """A table to publish."""

    name: str
    contracted: bool = True  # dbt enforces a contract on its columns
    partition_by_column: str | None = None  # dbt rebuilds the rows of one value, such as a month, at once
    key: tuple[str, ...] = ()  # columns that identify a row, if a test says so
    references: frozenset[str] = frozenset()  # columns that are keys of other tables
    no_measures: frozenset[str] = frozenset()  # columns with `meta: {exclude_from_totals: true}`
    allow_decrease: bool = False  # fewer rows are no loss: `meta: {allow_decrease: true}`
    month_views: bool = False  # it has a view per month
    meta: Mapping[str, Any] = field(default_factory=dict)
    description: str = ""
    column_descriptions: Mapping[str, str] = field(default_factory=dict)


def marts_of(domain: str, manifest: Path) -> dict[str, Mart]:
    """Return the tables that a domain publishes by name: its own marts and the shared ones.

    Raises:
        PublishError: the domain has no mart of its own.
    """
    read = read_manifest(manifest)
    try:
        own = read.marts(domain)
    except ManifestError as error:
        raise PublishError(str(error)) from error
    found = [_mart(node, read.generic_tests.get(unique_id, [])) for unique_id, node in own.items()]
    return {mart.name: mart for mart in sorted(found, key=lambda mart: mart.name)}


def _mart(node: dict[str, Any], tests: list[dict[str, Any]]) -> Mart:
    config = node["config"]
    keys = sorted(
        (_columns(test["kwargs"]) for test in tests if test["name"] in KEY_TESTS),
        key=lambda key: (len(key), key),
    )
    meta = config.get("meta") or {}
    return Mart(
        node["alias"],
        contracted=(config.get("contract") or {}).get("enforced", True),
        partition_by_column=_partition_by(config, keys),
        key=keys[0] if keys else (),
        references=frozenset(
            test["kwargs"]["column_name"] for test in tests if test["name"] == "relationships"
        ),
        no_measures=frozenset(
            name
            for name, column in node.get("columns", {}).items()
            if column.get("config", {}).get("meta", {}).get("exclude_from_totals")
        ),
        allow_decrease=bool(meta.get("allow_decrease")),
        month_views=bool(meta.get("month_views")),
        meta=meta,
        description=node.get("description", ""),
        column_descriptions={
            name: column.get("description", "") for name, column in node.get("columns", {}).items()
        },
    )


def _columns(arguments: dict[str, Any]) -> tuple[str, ...]:
    columns = arguments.get("columns") or arguments.get("combination_of_columns")
    return tuple(columns) if columns else (arguments["column_name"],)


def _partition_by(config: dict[str, Any], keys: list[tuple[str, ...]]) -> str | None:
    """Return the column by which an incremental model replaces rows, unless it identifies single rows."""
    replaced = config.get("unique_key")
    columns = [replaced] if isinstance(replaced, str) else list(replaced or [])
    if config.get("materialized") != "incremental" or len(columns) != 1 or tuple(columns) in keys:
        return None
    return columns[0]
