"""Writes what the platform knows about itself into the schema `raw_ops`, with dlt."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dlt
import duckdb
from dlt.extract import DltResource
from dlt.pipeline.exceptions import PipelineStepFailed

from settings import Settings

SCHEMA = "raw_ops"


class MetricsError(RuntimeError):
    """dlt could not write; what was to be written stays where it was, and the next run writes it."""


def merged(
    name: str,
    rows: Sequence[dict[str, Any]],
    types: Mapping[str, str],
    key: tuple[str, ...],
    *,
    replaces: str | None = None,
) -> DltResource:
    """Rows of a table that take the place of those with the same key; without any, the table is there all the same.

    Args:
        name: the table.
        rows: one dict a row.
        types: dlt's type of each column.
        key: columns that tell the rows apart.
        replaces: a column; all rows with one of the new rows' values go, whatever their key.
    """
    columns = {column: {"data_type": kind} for column, kind in types.items()}
    disposition = {"disposition": "merge", "strategy": "delete-insert"}
    data = rows or [dlt.mark.materialize_table_schema()]
    return dlt.resource(
        data, name=name, write_disposition=disposition, primary_key=key, merge_key=replaces, columns=columns
    )


def write(
    connection: duckdb.DuckDBPyConnection, settings: Settings, resources: Iterable[DltResource]
) -> None:
    """Write tables in one load, whole or not at all.

    Raises:
        MetricsError: dlt could not.
    """
    pipeline = dlt.pipeline(
        pipeline_name=f"{settings.env}_ops",
        pipelines_dir=str(settings.dlt_dir),
        # Else dlt would commit the delete of a merge by itself, and a kill before the insert would take the
        # rows away until the next run.
        destination=dlt.destinations.duckdb(connection, supports_transactions=True),
        dataset_name=SCHEMA,
    )
    # What a kill left unfinished is still where it came from.
    if pipeline.has_pending_data:
        pipeline.abort_packages()
    try:
        pipeline.run(list(resources))
    except PipelineStepFailed as error:
        if pipeline.has_pending_data:
            pipeline.abort_packages()
        raise MetricsError(f"dlt could not {error.step} into {SCHEMA}: {error}") from error
