"""Writes files into `raw_<domain>` with dlt, each whole or not at all, each once.

A file is one dlt load package. dlt repeats the jobs of a package that a kill left behind, which
doubles rows if the copy was already committed, so a pending package is aborted and its file read
again. What counts as loaded is decided by dlt's own commit record: a file whose entry in
`file_loads` belongs to no completed package is loaded again, replacing the rows it may have. Of a
file whose earlier contents stay, only the rows of that one content are taken for its own.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

import dlt
import pyarrow.parquet as pq

from ingestion.files.file_resource import FileResource
from ingestion.formats.parsed_file import ParsedFile
from ingestion.loader.cleanup import remove_content, remove_stale_rejects, remove_unfinished
from ingestion.loader.pipeline import RawPipeline
from ingestion.loader.resources import REPLACE, file_loads, raw_rows, rejected_lines
from settings import Settings
from warehouse import Warehouse, connect

# With more, DuckDB keeps more of what it has written: loading 30,000,000 orders then held 1,120 MB
# at 2 GB, 620 MB at this limit, in the same time.
MOST_MEMORY = "512MB"


def row_id_prefix(record: dict[str, Any]) -> str:
    """What the `_row_id` of all rows of a file's content begins with, by its row of `file_loads`."""
    return hashlib.sha256(f"{record['source_file']}\n{record['sha256']}".encode()).hexdigest()[:16]


class RawLoader:
    """The raw tables of one feed, held open for writing."""

    def __init__(self, feed: FileResource, settings: Settings, warehouse: Warehouse) -> None:
        self._feed = feed
        self._warehouse = warehouse
        self._pipeline = RawPipeline(feed, settings, warehouse)
        self._schema = self._pipeline.schema
        remove_unfinished(warehouse, self._schema, feed)
        remove_stale_rejects(warehouse, self._schema, feed)

    @classmethod
    @contextmanager
    def open(cls, feed: FileResource, settings: Settings) -> Iterator["RawLoader"]:
        """Open a feed's raw tables, waiting for the warehouse if another process holds it.

        Raises:
            WarehouseBusyError: another process kept the warehouse.
        """
        with connect(settings, feed.domain, most_memory=MOST_MEMORY) as warehouse:
            yield cls(feed, settings, warehouse)

    def loaded_contents(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Rows of `file_loads` for the contents now loaded, by source file and sha256."""
        contents: dict[str, dict[str, dict[str, Any]]] = {}
        for row in self._pipeline.file_loads(self._feed.entity, "loaded"):
            contents.setdefault(row["source_file"], {})[row["sha256"]] = row
        return contents

    def columns(self) -> list[str]:
        """Columns of the raw table."""
        return self._warehouse.columns(self._schema, self._feed.entity)

    def normalize_column_name(self, column: str) -> str:
        """A column's name as the raw table has it."""
        return self._warehouse.normalize_column_name(column)

    def layout(self) -> list[str]:
        """Columns of the raw table in order. dlt imports a Parquet file as it is only if it has them so."""
        return self._pipeline.layout()

    def load_file(
        self,
        record: dict[str, Any],
        parse: Callable[[str], ParsedFile],
        *,
        replaces: Collection[dict[str, Any]] = (),
    ) -> ParsedFile:
        """Load one file in one package.

        Rows that the file has already, if any, leave in the same transaction, unless its earlier
        contents are to be kept.

        Args:
            record: the file's row of `file_loads`, without counts and status.
            parse: makes the Parquet file for a given `_dlt_load_id`.
            replaces: the rows of `file_loads` for the contents that go out.

        Raises:
            UnreadableFileError: `parse` found that the file cannot be loaded; its old rows stay.
            LoadError: dlt could not write it.
        """
        name = record["source_file"]
        prefix = row_id_prefix(record)
        keeps_earlier = self._feed.keeps_earlier(name)
        if keeps_earlier:
            # Of content that counts as loaded there is no second load, so that these rows count for nothing.
            remove_content(self._warehouse, self._schema, self._feed, name, prefix)
        append = keeps_earlier or not self._has_rows(self._feed.partition_of(name) or name)
        result: list[ParsedFile] = []

        def parsed() -> ParsedFile:
            if not result:
                result.append(parse(dlt.current.load_package_state()["load_id"]))
            return result[0]

        def rows() -> Iterator[Any]:
            if not parsed().rows:
                return  # corrections of other entities
            file = self._warehouse.importable(parsed().parquet)
            schema = pq.read_schema(parsed().parquet).empty_table()
            yield dlt.mark.with_file_import(str(file.path), file.file_format, parsed().rows, hints=schema)

        def rejects() -> Iterator[Any]:
            keys = {"entity": self._feed.entity, "source_file": name}
            yield [
                keys | asdict(line) | {"_row_id": f"{prefix}-L{line.line_number}"}
                for line in parsed().rejected
            ]

        def files() -> Iterator[Any]:
            loaded, rejected = parsed().rows, len(parsed().rejected)
            yield record | {
                "rows_read": loaded + rejected,
                "rows_loaded": loaded,
                "rows_rejected": rejected,
                "status": "loaded",
                "loaded_at": datetime.now(UTC),
            }
            for content in replaces:
                yield content | {"status": "replaced"}

        self._pipeline.run(
            raw_rows(self._feed, rows(), "append" if append else REPLACE),
            rejected_lines(rejects()),
            file_loads(files()),
        )
        remove_stale_rejects(self._warehouse, self._schema, self._feed)
        return result[0]

    def record_failure(self, record: dict[str, Any], reason: str) -> None:
        """Note that a file could not be loaded, once for each content and reason."""
        same_file = (
            row
            for row in self._pipeline.file_loads(record["entity"], "failed")
            if row["source_file"] == record["source_file"]
        )
        last = max(same_file, key=itemgetter("loaded_at"), default=None)
        if last and (last["sha256"], last["reason"]) == (record["sha256"], reason):
            return
        failure = {"rows_read": 0, "rows_loaded": 0, "rows_rejected": 0, "status": "failed", "reason": reason}
        self._pipeline.run(file_loads([record | failure | {"loaded_at": datetime.now(UTC)}]))

    def _has_rows(self, replaced: str) -> bool:
        """Whether the raw table holds rows of a file or partition, those of an unfinished load included."""
        table, column = f"{self._schema}.{self._feed.entity}", self._feed.replaced_by
        return bool(
            self._warehouse.execute(
                f"select 1 from {table} where {column} = ? limit 1", [replaced]
            ).fetchone()
        )
