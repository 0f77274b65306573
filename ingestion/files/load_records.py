"""The rows of `file_loads` for the files of one resource: which contents are loaded, and which failed."""

import hashlib
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO

from ingestion.file_format import form_of_name
from ingestion.files.delivery import delivery_name, find_fault
from ingestion.files.file_resource import FileResource
from ingestion.files.landing import checksum_of
from ingestion.formats import UnreadableFileError, parts_of
from ingestion.formats.csv_lines import is_gzip, open_plain, read_chunks
from ingestion.formats.zip_members import open_member
from ingestion.loader.loader import Loader
from ingestion.loader.tables import file_loads
from settings.file_limits import FileLimits

Record = dict[str, Any]


def new_record(path: Path, entity: str) -> Record:
    """Return the row of a file that is not fingerprinted yet."""
    return {"entity": entity, "source_file": delivery_name(path), "sha256": "", "delivery": 1, "bytes": 0}


def fingerprint(path: Path) -> Record:
    """Return the hash and the size of a delivery's content, as columns of its row.

    Raises:
        UnreadableFileError: the delivery is not a file, or in a form that is not taken.
        OSError: the file cannot be read.
    """
    if fault := find_fault(path):
        raise UnreadableFileError(fault)
    return {"sha256": checksum_of(path), "bytes": path.stat().st_size}


def content_checksum_of(path: Path, sha256: str, limits: FileLimits) -> str:
    """Return the SHA-256 of a file's content as it is read: of a gzip or a zip of one file, that of the unpacked content.

    Args:
        path: the file.
        sha256: that of its bytes.
        limits: what the file may hold.

    Raises:
        UnreadableFileError: the file is damaged or truncated, or unpacks to more than the limits allow.
    """
    opened: AbstractContextManager[BinaryIO] | None = None
    if is_gzip(path):
        opened = open_plain(path)
    elif form_of_name(path.name) == ".zip" and len(parts_of(path, limits)) == 1:
        opened = open_member(path)
    if not opened:
        return sha256
    digest = hashlib.sha256()
    with opened as file:
        for chunk in read_chunks(file, limits, size=path.stat().st_size):
            digest.update(chunk)
    return digest.hexdigest()


def find_duplicate(
    resource: FileResource, path: Path, paths: Sequence[Path], limits: FileLimits
) -> Path | None:
    """Return another file of the same partition with other content."""
    partition = resource.partition_of(path.name)
    if not partition or find_fault(path):
        return None
    others = (other for other in paths if other != path and resource.partition_of(other.name) == partition)
    return next(
        (each for each in others if not find_fault(each) and not _has_same_content(path, each, limits)), None
    )


def _has_same_content(one: Path, other: Path, limits: FileLimits) -> bool:
    """Whether two files can be read and have the same content, packed or not."""
    try:
        first, second = (content_checksum_of(path, checksum_of(path), limits) for path in (one, other))
    except (UnreadableFileError, OSError):
        return False
    return first == second


class LoadRecords:
    """The records of a resource's files; a row of an incomplete load does not count."""

    def __init__(self, resource: FileResource, loader: Loader) -> None:
        self._resource = resource
        self._loader = loader
        # By name, in the order of loading.
        self._loaded: dict[str, list[Record]] = {}
        for row in sorted(loader.file_loads(resource.entity, "loaded"), key=itemgetter("loaded_at")):
            self._loaded.setdefault(row["source_file"], []).append(row)

    def loaded(self, name: str, sha256: str) -> Record | None:
        """Return the row of this content if it is the last one that was loaded under this name."""
        last = self._loaded.get(name, [])[-1:]
        return next((row for row in last if row["sha256"] == sha256), None)

    def next_delivery(self, name: str, sha256: str) -> int:
        """Return how often this content was loaded under this name, and one: it may come again after another one."""
        return 1 + sum(row["sha256"] == sha256 for row in self._loaded.get(name, []))

    def same_content(self, record: Record) -> Record | None:
        """Return the row of a file with the same content that is loaded, first of this name, then of any other.

        Of this name, only the last content counts: an earlier one that comes again is the newest state. A content
        without rows is no known one: files of days without business are all alike.
        """
        name = record["source_file"]
        rows = [
            row
            for each, contents in self._loaded.items()
            for row in (contents[-1:] if each == name else contents)
        ]
        same = [row for row in rows if row.get("content_sha256") == record["content_sha256"]]
        return min(
            (row for row in same if row["rows_read"]),
            key=lambda row: row["source_file"] != name,
            default=None,
        )

    def has_failed(self, name: str, sha256: str) -> bool:
        """Whether this content under this name is recorded as failed."""
        failed = self._loader.file_loads(self._resource.entity, "failed")
        return any((row["source_file"], row["sha256"]) == (name, sha256) for row in failed)

    def replaced_by(self, name: str) -> list[Record]:
        """Return the rows of the contents that a file of this name replaces.

        Raises:
            UnreadableFileError: the name has no partition.
        """
        if self._resource.keeps_earlier(name):
            return []
        names = [name]
        if self._resource.partition:
            partition = self._resource.partition_of(name)
            if not partition:
                raise UnreadableFileError("its name has no month written as 2024-05 before the suffix")
            names = [each for each in self._loaded if self._resource.partition_of(each) == partition]
        return [row for each in names for row in self._loaded.get(each, [])]

    def note_loaded(self, record: Record, replaced: Sequence[Record]) -> None:
        """Note that a load is complete, which has written these rows."""
        self._forget(replaced)
        self._loaded.setdefault(record["source_file"], []).append(record)

    def write_unloaded(
        self, record: Record, status: str, reason: str, replaced: Sequence[Record] = ()
    ) -> None:
        """Record a file that is not loaded and why, once per content and reason.

        Args:
            record: the row of the file.
            status: `failed`, or `skipped`.
            reason: why it is not loaded.
            replaced: the rows of contents that it replaces all the same.
        """
        earlier = [
            row
            for row in self._loader.file_loads(record["entity"], status)
            if row["source_file"] == record["source_file"]
        ]
        last = max(earlier, key=itemgetter("loaded_at"), default=None)
        if last and (last["sha256"], last["reason"]) == (record["sha256"], reason) and not replaced:
            return
        counts = {"rows_read": 0, "rows_loaded": 0, "rows_rejected": 0}
        unloaded = record | counts | {"status": status, "reason": reason, "loaded_at": datetime.now(UTC)}
        self._loader.run(file_loads([unloaded, *(row | {"status": "replaced"} for row in replaced)]))
        self._forget(replaced)

    def _forget(self, rows: Sequence[Record]) -> None:
        for row in rows:
            self._loaded[row["source_file"]].remove(row)
