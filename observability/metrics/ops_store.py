"""Writes what the platform knows about itself into the schema `raw_ops`, with dlt."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class OpsTable:
    """A table of `raw_ops`; new rows replace those with the same key.

    Attributes:
        name: its name.
        columns: dlt's type of each column.
        key: the columns that identify a row.
        replaces: a column; rows that share its value with a new row are removed, whatever their key.
    """

    name: str
    columns: Mapping[str, str]
    key: tuple[str, ...]
    replaces: str | None = None

    def resource(self, rows: Sequence[dict[str, Any]]) -> DltResource:
        """Return a resource with these rows; without rows, it only creates the table."""
        hints: dict[str, Any] = {
            "write_disposition": {"disposition": "merge", "strategy": "delete-insert"},
            "primary_key": self.key,
            "merge_key": self.replaces,
            "columns": {column: {"data_type": kind} for column, kind in self.columns.items()},
        }
        data: list[Any] = [*rows] or [dlt.mark.materialize_table_schema()]
        return dlt.resource(data, name=self.name, **hints)

    def read(self, warehouse: Warehouse, rest: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Return the rows of a query that continues with `rest`; none if the table does not exist yet."""
        if not warehouse.columns(SCHEMA, self.name):
            return []
        found = warehouse.execute(
            f"select {', '.join(self.columns)} from {SCHEMA}.{self.name} {rest}", list(parameters)
        )
        return [dict(zip(self.columns, row, strict=True)) for row in found.fetchall()]


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
