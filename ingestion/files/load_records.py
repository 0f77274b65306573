"""The rows of `file_loads` for the files of one resource: which contents are loaded, and which failed."""

from collections.abc import Sequence
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Any

from ingestion.files.file_resource import FileResource
from ingestion.files.landing import checksum_of
from ingestion.formats import UnreadableFileError
from ingestion.loader.loader import Loader
from ingestion.loader.tables import file_loads

Record = dict[str, Any]


def new_record(path: Path, entity: str) -> Record:
    """Return the row of a file that is not fingerprinted yet."""
    return {"entity": entity, "source_file": path.name, "sha256": "", "bytes": 0}


def fingerprint(path: Path) -> Record:
    """Return the hash and the size of a file's content, as columns of its row.

    Raises:
        UnreadableFileError: the path is not a file.
        OSError: the file cannot be read.
    """
    if path.exists() and not path.is_file():
        raise UnreadableFileError("it is a folder or a device, not a file")
    return {"sha256": checksum_of(path), "bytes": path.stat().st_size}


class LoadRecords:
    """The records of a resource's files; a row of an incomplete load does not count."""

    def __init__(self, resource: FileResource, loader: Loader) -> None:
        self._resource = resource
        self._loader = loader
        self._loaded: dict[str, dict[str, Record]] = {}
        for row in loader.file_loads(resource.entity, "loaded"):
            self._loaded.setdefault(row["source_file"], {})[row["sha256"]] = row

    def is_loaded(self, name: str, sha256: str) -> bool:
        """Whether this content is loaded under this name."""
        return sha256 in self._loaded.get(name, {})

    def loaded_at(self, name: str, sha256: str) -> datetime:
        """Return the time (UTC) at which this content was loaded."""
        return self._loaded[name][sha256]["loaded_at"].astimezone(UTC)

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
        return [row for each in names for row in self._loaded.get(each, {}).values()]

    def note_loaded(self, record: Record, replaced: Sequence[Record]) -> None:
        """Note that a load is complete, which has written these rows."""
        for row in replaced:
            del self._loaded[row["source_file"]][row["sha256"]]
        self._loaded.setdefault(record["source_file"], {})[record["sha256"]] = record

    def write_failure(self, record: Record, reason: str) -> None:
        """Record that a file could not be loaded, once per content and reason."""
        earlier = [
            row
            for row in self._loader.file_loads(record["entity"], "failed")
            if row["source_file"] == record["source_file"]
        ]
        last = max(earlier, key=itemgetter("loaded_at"), default=None)
        if last and (last["sha256"], last["reason"]) == (record["sha256"], reason):
            return
        failure = {"rows_read": 0, "rows_loaded": 0, "rows_rejected": 0, "status": "failed", "reason": reason}
        self._loader.run(file_loads([record | failure | {"loaded_at": datetime.now(UTC)}]))
