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
    """dlt could not write; the data stays where it was, and the next run writes it."""


def merged(
    name: str,
    rows: Sequence[dict[str, Any]],
    types: Mapping[str, str],
    key: tuple[str, ...],
    *,
    replaces: str | None = None,
) -> DltResource:
    """A resource whose rows replace those with the same key; without rows, it only makes the table.

    Args:
        name: the table.
        rows: one dict per row.
        types: dlt's type of each column.
        key: the columns that identify a row.
        replaces: a column; rows that share its value with a new row are removed, whatever their key.
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
    """Write tables in one load, as a whole or not at all.

    Raises:
        MetricsError: dlt could not write them.
    """
    pipeline = dlt.pipeline(
        pipeline_name=f"{settings.env}_ops",
        pipelines_dir=str(settings.dlt_dir),
        # Otherwise dlt would commit the delete of a merge by itself, and after a kill before the insert the rows
        # would be gone until the next run.
        destination=dlt.destinations.duckdb(connection, supports_transactions=True),
        dataset_name=SCHEMA,
    )
    # What a kill left unfinished is still at its origin, and comes again.
    if pipeline.has_pending_data:
        pipeline.abort_packages()
    try:
        pipeline.run(list(resources))
    except PipelineStepFailed as error:
        if pipeline.has_pending_data:
            pipeline.abort_packages()
        raise MetricsError(f"dlt could not {error.step} into {SCHEMA}: {error}") from error
