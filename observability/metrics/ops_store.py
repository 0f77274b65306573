"""Writes what the platform knows about itself into the schema `raw_ops`, with dlt."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dlt
from dlt.extract import DltResource
from dlt.pipeline.exceptions import PipelineStepFailed

from settings import Settings
from warehouse import Warehouse

# The owner of these tables, in the place of a domain.
OPS = "ops"
SCHEMA = f"raw_{OPS}"


class MetricsError(RuntimeError):
    """dlt could not write; the data stays where it was, and the next run writes it."""


def merge_resource(
    name: str,
    rows: Sequence[dict[str, Any]],
    types: Mapping[str, str],
    key: tuple[str, ...],
    *,
    replaces: str | None = None,
) -> DltResource:
    """Return a resource whose rows replace those with the same key; without rows, it only creates the table.

    Args:
        name: the table.
        rows: one dict per row.
        types: dlt's type of each column.
        key: the columns that identify a row.
        replaces: a column; rows that share its value with a new row are removed, whatever their key.
    """
    columns: Any = {column: {"data_type": kind} for column, kind in types.items()}
    disposition: Any = {"disposition": "merge", "strategy": "delete-insert"}
    data: list[Any] = list(rows) or [dlt.mark.materialize_table_schema()]
    return dlt.resource(
        data, name=name, write_disposition=disposition, primary_key=key, merge_key=replaces, columns=columns
    )


def write_resources(warehouse: Warehouse, settings: Settings, resources: Iterable[DltResource]) -> None:
    """Write tables in one load, completely or not at all, into a warehouse that was opened for `OPS`.

    Raises:
        MetricsError: dlt could not write them.
    """
    pipeline = dlt.pipeline(
        pipeline_name=f"{settings.warehouse_name}_{OPS}",
        pipelines_dir=str(settings.dlt_dir),
        destination=warehouse.destination(),
        dataset_name=SCHEMA,
    )
    # The source of what a killed process left unfinished still has it.
    if pipeline.has_pending_data:
        pipeline.abort_packages()
    try:
        pipeline.run(list(resources))
    except PipelineStepFailed as error:
        if pipeline.has_pending_data:
            pipeline.abort_packages()
        raise MetricsError(f"dlt could not {error.step} into {SCHEMA}: {error}") from error
