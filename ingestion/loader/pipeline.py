"""dlt's pipeline into `raw_<domain>`: what one run writes counts together, once dlt has noted the load."""

from typing import TYPE_CHECKING, Any, Union

import dlt
from dlt.extract import DltResource
from dlt.pipeline.exceptions import PipelineStepFailed

from ingestion.files.file_resource import FileResource
from ingestion.formats.csv_records import UnreadableFileError
from ingestion.loader.cleanup import completed_loads
from ingestion.loader.resources import NEWEST_COLUMNS, file_loads, no_rows, raw_rows, rejected_lines
from settings import Settings
from warehouse import Warehouse

if TYPE_CHECKING:
    from ingestion.api.api_resource import ApiResource


class LoadError(RuntimeError):
    """dlt could not write a package; nothing of it counts, and the next run reads its input again."""


class RawPipeline:
    """The pipeline of a domain, for the raw tables of one feed or endpoint, which it makes.

    Args:
        feed: whose rows to write.
        settings: which data folder and environment.
        warehouse: opened for the domain.
    """

    def __init__(
        self, feed: Union[FileResource, "ApiResource"], settings: Settings, warehouse: Warehouse
    ) -> None:
        self.schema = f"raw_{feed.domain}"
        self._feed = feed
        self._warehouse = warehouse
        self._work = settings.dlt_dir
        self._pipeline = dlt.pipeline(
            pipeline_name=f"{settings.warehouse_name}_{feed.domain}",
            pipelines_dir=str(settings.dlt_dir),
            destination=warehouse.destination(),
            dataset_name=self.schema,
        )
        self._abort_pending()
        if not self._has_tables():
            self._make_tables()

    def layout(self) -> list[str]:
        """Columns of the raw table in order. dlt imports a Parquet file as it is only if it has them so."""
        return list(self._pipeline.default_schema.get_table_columns(self._feed.entity))

    def run(self, *resources: DltResource) -> None:
        """Write resources as one package.

        Raises:
            UnreadableFileError: a resource found that its file cannot be loaded.
            LoadError: dlt could not write it.
        """
        try:
            self._pipeline.run(list(resources))
        except PipelineStepFailed as error:
            self._abort_pending()
            cause: BaseException = error
            while cause.__cause__:
                cause = cause.__cause__
                if isinstance(cause, UnreadableFileError):
                    raise cause from None
            raise LoadError(f"dlt could not {error.step} into {self.schema}: {cause}") from error

    def file_loads(self, entity: str, status: str) -> list[dict[str, Any]]:
        """Rows of `file_loads` with a status, written by a package that was completed."""
        columns = self._warehouse.columns(self.schema, "file_loads")
        names = [name for name in columns if name not in ("_dlt_load_id", "_dlt_id")]
        found = self._warehouse.execute(
            f"""
            select {", ".join(names)} from {self.schema}.file_loads
            where entity = ? and status = ?
                and _dlt_load_id in ({completed_loads(self.schema)})
            """,
            [entity, status],
        )
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def make_tables(self, *resources: DltResource) -> None:
        """Make the tables of resources without rows, unless they are there."""
        missing = [each for each in resources if not self._warehouse.columns(self.schema, each.name)]
        if missing:
            self.run(*missing)

    def _abort_pending(self) -> None:
        if self._pipeline.has_pending_data:
            self._pipeline.abort_packages()

    def _has_tables(self) -> bool:
        wanted = {table: {column} for table, column in NEWEST_COLUMNS.items()}
        wanted[self._feed.entity] = {
            self._warehouse.normalize_column_name(name) for name in no_rows(self._feed).column_names
        }
        return all(
            columns <= set(self._warehouse.columns(self.schema, table)) for table, columns in wanted.items()
        )

    def _make_tables(self) -> None:
        """Empty tables, so that models can be built before the first file, or the first reject.

        Tables that an earlier version made get the columns that it did not know.
        """
        empty = dlt.mark.materialize_table_schema()
        self.run(
            raw_rows(self._feed, self._warehouse.items(no_rows(self._feed), self._work), "append"),
            rejected_lines([empty]),
            file_loads([empty]),
        )
        content = self._warehouse.sha256("file.source_file || chr(10) || file.sha256")
        self._warehouse.execute(
            f"""
            update {self.schema}.rejected_lines as line
            set _row_id = left({content}, 16) || '-L' || line.line_number
            from {self.schema}.file_loads as file
            where line._row_id is null and line.entity = file.entity
                and line.source_file = file.source_file and line._dlt_load_id = file._dlt_load_id
                and file.status = 'loaded'
            """
        )
