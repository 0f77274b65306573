"""Writes files into `raw_<domain>` with dlt, each whole or not at all, each once.

A file is one dlt load package. dlt repeats the jobs of a package that a kill left behind, which
doubles rows if the copy was already committed, so a pending package is aborted and its file read
again. What counts as loaded is decided by dlt's own commit record: a file whose entry in
`input_files` belongs to no completed package is loaded again, replacing the rows it may have.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import dlt
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from dlt.extract import DltResource
from dlt.pipeline.exceptions import PipelineStepFailed

from ingestion.csv_framing import UnreadableFileError
from ingestion.csv_parser import ParsedFile
from ingestion.feeds import CsvFeed
from ingestion.warehouse import connect, table_exists
from settings import Settings

# Rows of a file go out and its new ones come in within one transaction.
REPLACE = {"disposition": "merge", "strategy": "delete-insert"}


class LoadError(RuntimeError):
    """dlt could not write a package; nothing of it counts, and the next run reads the file again."""


class RawStore:
    """The raw tables of one feed, held open for writing."""

    def __init__(self, feed: CsvFeed, settings: Settings, connection: duckdb.DuckDBPyConnection) -> None:
        self._feed = feed
        self._schema = f"raw_{feed.domain}"
        self._connection = connection
        self._pipeline = dlt.pipeline(
            pipeline_name=f"{settings.env}_{feed.domain}",
            pipelines_dir=str(settings.dlt_dir),
            # dlt 1.31 does not say of DuckDB that it has transactions and would commit the delete of
            # a replacement by itself; a kill before the insert then leaves the file without rows.
            destination=dlt.destinations.duckdb(connection, supports_transactions=True),
            dataset_name=self._schema,
        )
        self._abort_pending()
        if not all(
            table_exists(connection, self._schema, table)
            for table in (feed.entity, "rejected_lines", "input_files")
        ):
            self._create_tables()

    @classmethod
    @contextmanager
    def open(cls, feed: CsvFeed, settings: Settings) -> Iterator["RawStore"]:
        """Open a feed's raw tables, waiting for the warehouse if another process holds it.

        Raises:
            WarehouseBusyError: another process kept the warehouse.
        """
        with connect(settings) as connection:
            yield cls(feed, settings, connection)

    def loaded_files(self) -> dict[str, dict[str, Any]]:
        """The row of `input_files` for the content now loaded, by source file."""
        return self._input_files("loaded")

    def layout(self) -> list[str]:
        """Columns of the raw table in order. dlt imports a Parquet file as it is only if it has them so."""
        return list(self._pipeline.default_schema.get_table_columns(self._feed.entity))

    def load_file(
        self, record: dict[str, Any], parse: Callable[[str], ParsedFile], *, replaces: dict[str, Any] | None
    ) -> ParsedFile:
        """Load one file in one package; its earlier rows, if any, leave in the same transaction.

        Args:
            record: the file's row of `input_files`, without counts and status.
            parse: makes the Parquet file for a given `_dlt_load_id`.
            replaces: the row of `input_files` for the content that goes out.

        Raises:
            UnreadableFileError: `parse` found that the file cannot be loaded; its old rows stay.
        """
        name = record["source_file"]
        result: list[ParsedFile] = []

        def parsed() -> ParsedFile:
            if not result:
                result.append(parse(dlt.current.load_package_state()["load_id"]))
            return result[0]

        def rows() -> Iterator[Any]:
            parquet = parsed().parquet
            schema = pq.read_schema(parquet).empty_table()
            yield dlt.mark.with_file_import(str(parquet), "parquet", parsed().rows, hints=schema)

        def rejects() -> Iterator[Any]:
            keys = {"entity": self._feed.entity, "source_file": name}
            yield [keys | asdict(line) for line in parsed().rejected]

        def files() -> Iterator[Any]:
            loaded, rejected = parsed().rows, len(parsed().rejected)
            yield record | {
                "rows_read": loaded + rejected,
                "rows_loaded": loaded,
                "rows_rejected": rejected,
                "status": "loaded",
                "loaded_at": datetime.now(UTC),
            }
            if replaces:
                yield replaces | {"status": "replaced"}

        # dlt replaces rows for which new ones come; a mended file may bring no rejected line.
        self._connection.execute(f"delete from {self._schema}.rejected_lines where source_file = ?", [name])
        self._run(
            _rows(self._feed.entity, rows(), REPLACE if self._has_rows(name) else "append"),
            _rejected_lines(rejects()),
            _input_files(files()),
        )
        return result[0]

    def record_failure(self, record: dict[str, Any], reason: str) -> None:
        """Note that a file could not be loaded, once for each content and reason."""
        known = self._input_files("failed").get(record["source_file"])
        if known and (known["sha256"], known["reason"]) == (record["sha256"], reason):
            return
        failure = {"rows_read": 0, "rows_loaded": 0, "rows_rejected": 0, "status": "failed", "reason": reason}
        self._run(_input_files([record | failure | {"loaded_at": datetime.now(UTC)}]))

    def _run(self, *resources: DltResource) -> None:
        try:
            self._pipeline.run(list(resources))
        except PipelineStepFailed as error:
            self._abort_pending()
            cause: BaseException = error
            while cause.__cause__:
                cause = cause.__cause__
                if isinstance(cause, UnreadableFileError):
                    raise cause from None
            raise LoadError(f"dlt could not {error.step} into {self._schema}: {cause}") from error

    def _abort_pending(self) -> None:
        if self._pipeline.has_pending_data:
            self._pipeline.abort_packages()

    def _create_tables(self) -> None:
        """Empty tables, so that models can be built before the first file, or the first reject."""
        texts = [*self._feed.columns, "_source_file", "_dlt_load_id", "_row_id"]
        fields = [*((name, pa.string()) for name in texts), ("_source_row", pa.int64())]
        empty = dlt.mark.materialize_table_schema()
        self._run(
            _rows(self._feed.entity, [pa.schema(fields).empty_table()], "append"),
            _rejected_lines([empty]),
            _input_files([empty]),
        )

    def _has_rows(self, source_file: str) -> bool:
        """Whether the raw table holds rows of a file, those of an unfinished load included."""
        query = f"select count(*) from {self._schema}.{self._feed.entity} where _source_file = ?"
        return bool(self._connection.execute(query, [source_file]).fetchone()[0])

    def _input_files(self, status: str) -> dict[str, dict[str, Any]]:
        """Rows of `input_files` with a status, written by a package that was completed, by file."""
        found = self._connection.execute(
            f"""
            select * exclude (_dlt_load_id, _dlt_id) from {self._schema}.input_files
            where entity = ? and status = ?
                and _dlt_load_id in (select load_id from {self._schema}._dlt_loads where status = 0)
            order by loaded_at
            """,
            [self._feed.entity, status],
        )
        names = [column[0] for column in found.description]
        rows = (dict(zip(names, row, strict=True)) for row in found.fetchall())
        return {row["source_file"]: row for row in rows}


def _rows(entity: str, data: Iterable[Any], disposition: Any) -> DltResource:
    """Rows of the files as delivered. Grain: one row a record of a file."""
    return dlt.resource(
        data, name=entity, write_disposition=disposition, columns=_replaced_by("_source_file")
    )


def _rejected_lines(data: Iterable[Any]) -> DltResource:
    """Lines that could not be split into columns. Grain: one row a line of a file."""
    columns = _typed(text=["entity", "reason", "line"], bigint=["line_number"]) | _replaced_by("source_file")
    return dlt.resource(data, name="rejected_lines", write_disposition=REPLACE, columns=columns)


def _input_files(data: Iterable[Any]) -> DltResource:
    """What became of each file. Grain: one row a file name and content."""
    columns = _typed(
        text=["entity", "source_file", "sha256", "status", "reason", "extra_columns"],
        bigint=["bytes", "rows_read", "rows_loaded", "rows_rejected"],
        timestamp=["loaded_at"],
    )
    key = ("source_file", "sha256")
    return dlt.resource(data, name="input_files", write_disposition="merge", primary_key=key, columns=columns)


def _typed(**names_by_type: list[str]) -> dict[str, Any]:
    return {name: {"data_type": kind} for kind, names in names_by_type.items() for name in names}


def _replaced_by(column: str) -> dict[str, Any]:
    """A merge key without dlt's NOT NULL, which would have the Parquet file rewritten to prove it."""
    return {column: {"data_type": "text", "merge_key": True, "nullable": True}}
