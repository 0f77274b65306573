"""The one way into `raw_<domain>`: a finished Parquet file, loaded by dlt, all of it or nothing, once.

A load is one dlt package. After a kill dlt would repeat the jobs of a pending package, which doubles
rows if their copy was already committed, so a pending package is aborted and its input read again. What
counts as loaded is decided by dlt's own commit record (`_dlt_loads`): content whose row in `file_loads`
belongs to no completed package is loaded again and replaces the rows that it may have.
"""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dlt
import pyarrow.parquet as pq
from dlt.extract import DltResource
from dlt.pipeline.exceptions import PipelineStepFailed

from ingestion.loader.tables import (
    RawTable,
    completed_loads,
    empty_rows,
    file_loads,
    raw_rows,
    rejected_lines,
)
from settings import Settings
from warehouse import Warehouse, connect

# With a higher limit DuckDB keeps more of what it has written: loading 30,000,000 orders then held
# 1,120 MB at 2 GB, 620 MB at this limit, in the same time.
MAX_MEMORY = "512MB"


class LoadError(RuntimeError):
    """dlt could not write a package; nothing of it counts, and the next run reads its input again."""


def row_id_prefix(source_file: str, sha256: str, delivery: int) -> str:
    """Return the beginning of the `_row_id` of all rows of one content of a file.

    Args:
        source_file: the file's name.
        sha256: that of its content.
        delivery: 1, or a higher number for a content that came again after another one.
    """
    again = f"\n{delivery}" if delivery > 1 else ""
    return hashlib.sha256(f"{source_file}\n{sha256}{again}".encode()).hexdigest()[:16]


class Loader:
    """The raw tables of one resource, open for writing; missing tables and columns are created.

    Args:
        resource: the resource whose rows to write.
        settings: the data folder and environment.
        warehouse: opened for the domain.

    Attributes:
        pipeline: the pipeline of dlt.
        schema: the schema of the raw tables.
    """

    def __init__(self, resource: RawTable, settings: Settings, warehouse: Warehouse) -> None:
        self.schema = f"raw_{resource.domain}"
        self._resource = resource
        self.warehouse = warehouse
        self.pipeline = dlt.pipeline(
            pipeline_name=f"{settings.warehouse_name}_{resource.domain}",
            pipelines_dir=str(settings.dlt_dir),
            destination=warehouse.destination(),
            dataset_name=self.schema,
        )
        self._abort_pending_packages()
        if not self.pipeline.default_schema_name:
            # dlt's folder is new or was lost; the warehouse has a copy of its state.
            self.pipeline.sync_destination()
        if not self._has_tables():
            self._create_tables(settings.dlt_dir)
        self._remove_stale_rejects()

    @classmethod
    @contextmanager
    def open(cls, resource: RawTable, settings: Settings) -> Iterator["Loader"]:
        """Open the raw tables, and wait for the warehouse if another process holds it.

        Raises:
            WarehouseBusyError: another process kept the warehouse.
        """
        with connect(settings, resource.domain, max_memory=MAX_MEMORY) as warehouse:
            yield cls(resource, settings, warehouse)

    def load(
        self,
        parquet: Path,
        rows: int,
        *,
        rejected: list[dict[str, Any]],
        records: list[dict[str, Any]],
        append: bool = False,
    ) -> None:
        """Load a Parquet file in one package, together with what is recorded about it.

        Args:
            parquet: the rows, with normalized column names, without `_dlt_load_id`.
            rows: their number.
            rejected: rows for `rejected_lines`.
            records: rows for `file_loads`.
            append: whether the rows replace none. Otherwise rows with the same value of the
                resource's `replaced_by` leave in the same transaction.

        Raises:
            LoadError: dlt could not write.
        """
        self.run(
            raw_rows(self._resource, self._import(parquet, rows) if rows else [], append=append),
            rejected_lines([{"line_count": 1} | line for line in rejected]),
            file_loads(records),
        )
        self._remove_stale_rejects()

    def run(self, *resources: DltResource) -> None:
        """Write resources as one package.

        Raises:
            LoadError: dlt could not write.
        """
        try:
            self.pipeline.run(list(resources))
        except PipelineStepFailed as error:
            self._abort_pending_packages()
            cause: BaseException = error
            while cause.__cause__:
                cause = cause.__cause__
            raise LoadError(f"dlt could not {error.step} into {self.schema}: {cause}") from error

    def create_tables(self, *resources: DltResource) -> None:
        """Create the tables of resources without rows, unless they exist."""
        missing = [each for each in resources if not self.warehouse.columns(self.schema, each.name)]
        if missing:
            self.run(*missing)

    def file_loads(self, entity: str, status: str) -> list[dict[str, Any]]:
        """Return the rows of `file_loads` with a status that a completed package has written."""
        columns = self.warehouse.columns(self.schema, "file_loads")
        names = [name for name in columns if name not in ("_dlt_load_id", "_dlt_id")]
        found = self.warehouse.execute(
            f"""
            select {", ".join(names)} from {self.schema}.file_loads
            where entity = ? and status = ?
                and _dlt_load_id in ({completed_loads(self.schema)})
            """,
            [entity, status],
        )
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def has_rows(self, value: str) -> bool:
        """Whether rows have this value in the resource's `replaced_by`, rows of unfinished loads included."""
        table, column = f"{self.schema}.{self._resource.entity}", self._resource.replaced_by
        found = self.warehouse.execute(f"select 1 from {table} where {column} = ? limit 1", [value])
        return bool(found.fetchone())

    def remove_rows(self, value: str) -> None:
        """Remove the rows with this value in the resource's `replaced_by`."""
        table, column = f"{self.schema}.{self._resource.entity}", self._resource.replaced_by
        self.warehouse.execute(f"delete from {table} where {column} = ?", [value])

    def remove_unfinished(self, source_files: str) -> None:
        """Remove the rows that killed loads have appended, of the files whose names begin like this."""
        self.warehouse.execute(
            f"""
            delete from {self.schema}.{self._resource.entity}
            where starts_with(_source_file, ?) and _dlt_load_id not in ({completed_loads(self.schema)})
            """,
            [source_files],
        )

    def remove_content(self, source_file: str, prefix: str) -> None:
        """Remove the rows of one content of a file (see `row_id_prefix`), which a killed load may have left."""
        self.warehouse.execute(
            f"delete from {self.schema}.{self._resource.entity}"
            " where _source_file = ? and starts_with(_row_id, ?)",
            [source_file, f"{prefix}-"],
        )

    def columns(self) -> list[str]:
        """Return the columns of the raw table."""
        return self.warehouse.columns(self.schema, self._resource.entity)

    def layout(self) -> list[str]:
        """Return the columns that a Parquet file needs, in this order, for dlt to import it as it is."""
        columns = self.pipeline.default_schema.get_table_columns(self._resource.entity)
        return [name for name in columns if name != "_dlt_load_id"]

    def normalize_column_name(self, column: str) -> str:
        """Return a column's name as the raw table has it."""
        return self.warehouse.normalize_column_name(column)

    def _import(self, parquet: Path, rows: int) -> list[Any]:
        file = self.warehouse.import_file(parquet)
        hints = pq.read_schema(parquet).empty_table()
        return [dlt.mark.with_file_import(str(file.path), file.file_format, rows, hints=hints)]

    def _remove_stale_rejects(self) -> None:
        """Remove rejected lines of killed loads and of replaced contents."""
        self.warehouse.execute(
            f"""
            delete from {self.schema}.rejected_lines
            where entity = $entity and _dlt_load_id not in (
                select _dlt_load_id from {self.schema}.file_loads
                where entity = $entity and status = 'loaded'
                    and _dlt_load_id in ({completed_loads(self.schema)})
            )
            """,
            {"entity": self._resource.entity},
        )

    def _abort_pending_packages(self) -> None:
        if self.pipeline.has_pending_data:
            self.pipeline.abort_packages()

    def _has_tables(self) -> bool:
        wanted = {
            self.warehouse.normalize_column_name(name) for name in empty_rows(self._resource).column_names
        }
        # dbt may have created the table for its models, and dlt does not know it then.
        name = self.pipeline.default_schema_name
        is_known = bool(name) and self._resource.entity in self.pipeline.default_schema.tables
        return is_known and wanted <= set(self.columns())

    def _create_tables(self, folder: Path) -> None:
        """Create empty tables, so that models can be built before the first file, or the first reject."""
        empty = dlt.mark.materialize_table_schema()
        with tempfile.TemporaryDirectory(prefix="tables_", dir=folder) as temporary:
            parquet = Path(temporary) / "empty.parquet"
            pq.write_table(empty_rows(self._resource), parquet)
            self.run(
                raw_rows(self._resource, self._import(parquet, 0), append=True),
                rejected_lines([empty]),
                file_loads([empty]),
            )
