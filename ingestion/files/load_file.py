"""One delivered file into the raw tables of one feed."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingestion.files.file_resource import PLATFORM_COLUMNS, FileResource
from ingestion.files.landing import CORRECTIONS, checksum_of, is_corrections
from ingestion.files.multi_entity_files import take_own_lines
from ingestion.formats import read_header, read_rows
from ingestion.formats.csv_records import UnreadableFileError
from ingestion.formats.parsed_file import ParsedFile, RowShape
from ingestion.loader.loader import RawLoader, row_id_prefix
from ingestion.results import LoadResult

# `entity` of a file that no feed takes.
NO_ENTITY = "none"


class FileLoader:
    """Loads files of one feed, one by one.

    Args:
        feed: whose rows to load.
        feeds: all feeds of its domain, which share files of corrections.
        store: the feed's raw tables.
        work: a folder for files between two formats.
    """

    def __init__(
        self, feed: FileResource, feeds: Sequence[FileResource], store: RawLoader, work: Path
    ) -> None:
        self._feed = feed
        self._feeds = feeds
        self._store = store
        self._work = work
        self._loaded = store.loaded_contents()

    def load(self, path: Path) -> LoadResult:
        """Load a file unless its content is loaded already; a bad file is noted as failed.

        Raises:
            LoadError: dlt could not write it.
        """
        record = _record(path, self._feed.entity)
        try:
            replaced = self._replaced(path.name)
            record |= _fingerprint(path)
            if record["sha256"] in self._loaded.get(path.name, {}):
                return LoadResult(path.name, self._feed.entity, "skipped")
            header = self._read_header(path)
            record["extra_columns"] = ", ".join(header.extra) or None
            parsed = self._store.load_file(
                record, lambda load_id: self._parse(path, record, header, load_id), replaces=replaced
            )
        except UnreadableFileError as error:
            return self._failed(record, str(error))
        except OSError as error:
            return self._failed(record, f"it cannot be read: {error.strerror}")
        rejected = len(parsed.rejected)
        return LoadResult(
            path.name,
            self._feed.entity,
            "replaced" if replaced else "loaded",
            rows_read=parsed.rows + rejected,
            rows_loaded=parsed.rows,
            rows_rejected=rejected,
            extra_columns=header.extra,
        )

    def refuse(self, path: Path) -> LoadResult:
        """Note a file that no feed of the domain takes as failed."""
        patterns = dict.fromkeys(feed.pattern for feed in self._feeds)
        corrections = [CORRECTIONS] if any(not feed.partition for feed in self._feeds) else []
        reason = f"no feed takes files of this name; known: {', '.join([*patterns, *corrections])}"
        return self._refused(_record(path, NO_ENTITY), path, reason)

    def refuse_double(self, path: Path, other: str) -> LoadResult:
        """Note a file as failed whose partition is that of another one that is there as well."""
        partition = self._feed.partition_of(path.name)
        return self._refused(
            _record(path, self._feed.entity),
            path,
            f"{other} is for {partition} as well; keep the one that counts",
        )

    def _refused(self, record: dict[str, Any], path: Path, reason: str) -> LoadResult:
        with suppress(UnreadableFileError, OSError):
            record |= _fingerprint(path)
        if record["sha256"] in self._loaded.get(path.name, {}):
            # What was loaded of it still counts, and its entry says so.
            return LoadResult(path.name, record["entity"], "failed", reason=reason)
        return self._failed(record, reason)

    def _replaced(self, name: str) -> list[dict[str, Any]]:
        """Rows of `file_loads` for the contents that leave when a file of this name comes.

        Raises:
            UnreadableFileError: the name does not say which partition the file is.
        """
        if self._feed.keeps_earlier(name):
            return []
        names = [name]
        if self._feed.partition:
            partition = self._feed.partition_of(name)
            if not partition:
                raise UnreadableFileError(f"its name does not say which part it is: {self._feed.partition}")
            names = [each for each in self._loaded if self._feed.partition_of(each) == partition]
        return [content for each in names for content in self._loaded.get(each, {}).values()]

    def _failed(self, record: dict[str, Any], reason: str) -> LoadResult:
        self._store.record_failure(record, reason)
        return LoadResult(record["source_file"], record["entity"], "failed", reason=reason)

    def _partition(self, name: str) -> dict[str, str]:
        partition = self._feed.partition_of(name)
        return {"_partition": partition} if partition else {}

    def _read_header(self, path: Path) -> "_Header":
        written = read_header(path)
        names = [
            name and self._store.normalize_column_name(name) for name in self._feed.column_names(written)
        ]
        shared = "_entity" in names
        if shared:
            # Columns of other entities have no place in the raw table.
            wanted = {*self._feed.columns, *PLATFORM_COLUMNS.values(), *self._store.columns()}
            names = [name if name in wanted else None for name in names]
        elif is_corrections(path.name):
            entities = ", ".join(feed.entity for feed in self._feeds)
            raise UnreadableFileError(f"corrections need a column _entity; it says of each line: {entities}")
        else:
            self._feed.check_columns(names, written)
        return _Header(written, names, shared, tuple(self._feed.extra_columns(names)))

    def _parse(self, path: Path, record: dict[str, Any], header: "_Header", load_id: str) -> ParsedFile:
        shape = RowShape(
            header.names,
            {"_source_file": path.name, "_dlt_load_id": load_id, **self._partition(path.name)},
            row_id_prefix(record),
            self._store.layout(),
        )
        parsed = read_rows(path, shape, parquet=self._work / f"{load_id}.parquet")
        if header.shared:
            own = self._work / f"{load_id}_{self._feed.entity}.parquet"
            parsed = take_own_lines(parsed, path.name, self._feed, self._feeds, parquet=own)
            if parsed.rows:
                self._feed.check_columns(header.names, header.written)
        if _fingerprint(path) != {key: record[key] for key in ("sha256", "bytes")}:
            raise UnreadableFileError("it changed while it was read; the next run loads it")
        return parsed


@dataclass(frozen=True)
class _Header:
    """A file's columns: as written, the raw name of each (None: left out), and which are extra.

    `shared` says that each line names its entity.
    """

    written: list[str]
    names: list[str | None]
    shared: bool
    extra: tuple[str, ...]


def _record(path: Path, entity: str) -> dict[str, Any]:
    return {"entity": entity, "source_file": path.name, "sha256": "", "bytes": 0}


def _fingerprint(path: Path) -> dict[str, Any]:
    """Content hash and size (bytes) of a file as delivered.

    Raises:
        UnreadableFileError: the path is no file.
        OSError: the file cannot be read.
    """
    if path.exists() and not path.is_file():
        raise UnreadableFileError("it is a folder or a device, not a file")
    return {"sha256": checksum_of(path), "bytes": path.stat().st_size}
