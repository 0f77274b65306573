"""The records of one reading of an API, in memory or in a file, until they are loaded."""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from ingestion.api.api_resource import ApiResource
from ingestion.api.errors import Unread
from ingestion.api.times import parse_time
from ingestion.json_records import InvalidRecordError, to_row


@dataclass(frozen=True)
class Start:
    """Where a reading starts.

    Attributes:
        since: the time from which to read changes; None for all records.
        unread: what the last reading left.
        after_load: the last load; the records are only loaded if it is still the last one.
        columns: the names of the raw table's columns.
    """

    since: str | None = None
    unread: Unread | None = None
    after_load: str | None = None
    columns: tuple[str, ...] = ()


@dataclass
class Batch:
    """The last version of each record of a reading, and what is not a record.

    Attributes:
        start: where the reading started.
        rows: rows of text by their id.
        rejected: rows of `rejected_lines` by their id.
        position: number of records.
        reason: why the reading is incomplete; None if it is complete.
        is_partial: whether the API is the cause.
        unread: with what the next reading is to go on.
    """

    start: Start
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    rejected: dict[str, dict[str, Any]] = field(default_factory=dict)
    position: int = 0
    reason: str | None = None
    is_partial: bool = False
    unread: Unread | None = None

    def columns(self) -> list[str]:
        """Return the columns of all rows, in the order of their appearance."""
        return list(dict.fromkeys(name for row in self.rows.values() for name in row))

    def save(self, path: Path) -> None:
        """Write the batch to a file: all of it or nothing."""
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}")
        with part.open("w") as file:
            head = asdict(self)
            rows, rejected = head.pop("rows"), head.pop("rejected")
            for line in (head, *rows.values(), *rejected.values()):
                file.write(f"{json.dumps(line)}\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the batch that a file has."""
        with path.open() as file:
            head, *lines = (json.loads(line) for line in file)
        start = head.pop("start")
        unread, earlier = head.pop("unread"), start.pop("unread")
        batch = cls(
            Start(**start | {"columns": tuple(start["columns"])}, unread=earlier and Unread(**earlier)),
            unread=unread and Unread(**unread),
            **head,
        )
        for line in lines:
            (batch.rows if "_source_row" in line else batch.rejected)[line["_row_id"]] = line
        return batch


class Collector:
    """Makes a batch of the pages of a reading.

    Args:
        resource: the kind of records.
        start: where the reading starts.
        max_columns: how many columns the raw table may have.
        normalize_column_name: returns the name of a field in the raw table.

    Attributes:
        batch: the records so far.
    """

    def __init__(
        self,
        resource: ApiResource,
        start: Start,
        max_columns: int,
        normalize_column_name: Callable[[str], str],
    ) -> None:
        self.batch = Batch(start)
        self._resource = resource
        self._max_columns = max_columns
        self._normalize = normalize_column_name
        self._columns = {*start.columns, *resource.columns, *resource.optional}

    def add(self, page: list[Any]) -> None:
        """Add a page; a record that comes again replaces its earlier version, unless that is newer."""
        copies: Counter[str] = Counter()
        for record in page:
            self.batch.position += 1
            try:
                row = self._row(record)
            except InvalidRecordError as error:
                line = json.dumps(record)
                copies[line] += 1
                # Equal records of one page are several; the same on another page may be one that moved.
                copy = f"\n{copies[line]}" if copies[line] > 1 else ""
                self._reject(f"{self._hash(f'{line}{copy}')}-L", line, str(error))
                continue
            row_id = row["_row_id"]
            known = self.batch.rows.get(row_id, {})
            time, known_time = (parse_time(each.get(self._resource.cursor)) for each in (row, known))
            if not (time and known_time and time < known_time):
                self.batch.rows[row_id] = row

    def _row(self, record: Any) -> dict[str, Any]:
        if isinstance(record, dict) and len(record) > self._max_columns:
            raise InvalidRecordError(
                f"record has {len(record):,} fields; at most {self._max_columns:,} are allowed (SLUICE_API_MAX_COLUMNS)"
            )
        row: dict[str, Any] = {self._normalize(name): value for name, value in to_row(record).items()}
        if reason := self._resource.reject(row):
            raise InvalidRecordError(reason)
        identity = (self._resource.identify(row) or "").strip()
        if not identity:
            raise InvalidRecordError("record has no identifier")
        columns = self._columns | row.keys()
        if len(columns) > self._max_columns:
            raise InvalidRecordError(
                f"the table would have {len(columns):,} columns with the fields of this record;"
                f" at most {self._max_columns:,} are allowed (SLUICE_API_MAX_COLUMNS)"
            )
        self._columns = columns
        return row | {"_source_row": self.batch.position, "_row_id": self._hash(identity)}

    def _reject(self, row_id: str, line: str, reason: str) -> None:
        reject = {"line_number": self.batch.position, "reason": reason, "line": line, "_row_id": row_id}
        self.batch.rejected.setdefault(row_id, reject)

    def _hash(self, text: str) -> str:
        return hashlib.sha256(f"{self._resource.source_file}\n{text}".encode()).hexdigest()[:32]
