"""Loads new and changed records of an API into its raw table.

The raw table has one row per record, as it was delivered last. Records are compared before anything is written, so a
load without changes writes nothing. The next load starts at the latest time in the rows of completed loads.

`dlt.sources.incremental` cannot hold this: its state would advance after a partial read, with a time in the future, and
with rows that a killed load left behind; here each of these is read again.
"""

import hashlib
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ingestion.api.api_resource import ApiResource
from ingestion.api.errors import PartialReadError
from ingestion.api.records import InvalidRecordError, parse_time, to_row
from ingestion.loader.loader import Loader
from ingestion.loader.tables import completed_loads
from ingestion.results import LoadResult
from ingestion.retry_policy import RetryPolicy
from settings import Settings
from warehouse import Warehouse, connect

# A record may become visible later than the time of its change, because of transactions, replicas or clocks.
OVERLAP = timedelta(days=1)
PLATFORM_COLUMNS = ("_source_file", "_source_row", "_row_id", "_corrects_row_id", "_dlt_load_id")
DEFAULT_POLICY = RetryPolicy()


def load_api(
    resource: ApiResource,
    settings: Settings,
    *,
    limit: int | None = None,
    policy: RetryPolicy = DEFAULT_POLICY,
) -> LoadResult:
    """Load new and changed records; safe to repeat at any time.

    Args:
        resource: what to load.
        settings: data folder and environment.
        limit: take at most this many records; the next load without a limit reads all of them.
        policy: when to retry a request.

    Returns:
        The result: `partial`, with the reason, if the API did not return everything.

    Raises:
        SourceApiError: the API could not be read; nothing is loaded, and the next call starts where this one did.
        SettingsError: a variable of the API has an invalid value.
        LoadError: dlt could not write.
        WarehouseBusyError: another process kept the warehouse.
    """
    settings.dlt_dir.mkdir(parents=True, exist_ok=True)
    with connect(settings, resource.domain) as warehouse:
        since = _RawTable(resource, settings, warehouse).since()
        batch = _Batch(resource, warehouse.normalize_column_name)
    # Other processes may use the warehouse while the API is read.
    try:
        for page in resource.read(settings, since, policy):
            batch.add(page[: None if limit is None else limit - batch.position])
            if batch.position == limit:
                batch.reason = f"the first {limit} only"
                break
    except PartialReadError as error:
        batch.reason, batch.is_partial = str(error), True
    with connect(settings, resource.domain) as warehouse:
        return _RawTable(resource, settings, warehouse).write(batch, since)


@dataclass
class _Batch:
    """The records of one reading: the last version of each, and what is not a record."""

    resource: ApiResource
    # Returns the name of a field in the raw table.
    normalize_column_name: Callable[[str], str]
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    rejected: dict[str, dict[str, Any]] = field(default_factory=dict)
    position: int = 0
    # Why it is incomplete, if it is, and whether the API is the cause.
    reason: str | None = None
    is_partial: bool = False

    def add(self, page: list[Any]) -> None:
        """Add a page; a record that comes again replaces its earlier version, unless that is newer."""
        for record in page:
            self.position += 1
            try:
                row = {self.normalize_column_name(name): value for name, value in to_row(record).items()}
                identity = (self.resource.identify(row) or "").strip()
                if not identity:
                    raise InvalidRecordError("record has no identifier")
            except InvalidRecordError as error:
                line = json.dumps(record)
                row_id = f"{self._hash(line)}-L"
                reject = {"line_number": self.position, "reason": str(error), "line": line, "_row_id": row_id}
                self.rejected.setdefault(row_id, reject)
                continue
            row_id = self._hash(identity)
            known = self.rows.get(row_id, {})
            time, known_time = (parse_time(each.get(self.resource.cursor)) for each in (row, known))
            if not (time and known_time and time < known_time):
                self.rows[row_id] = row | {"_source_row": self.position, "_row_id": row_id}

    def columns(self) -> list[str]:
        """Return the columns of all rows, in the order of their appearance."""
        return list(dict.fromkeys(name for row in self.rows.values() for name in row))

    def _hash(self, text: str) -> str:
        return hashlib.sha256(f"{self.resource.source_file}\n{text}".encode()).hexdigest()[:32]


class _RawTable:
    """The raw table of a resource, opened for writing, with its rows of `rejected_lines` and `file_loads`."""

    def __init__(self, resource: ApiResource, settings: Settings, warehouse: Warehouse) -> None:
        self._resource = resource
        self._warehouse = warehouse
        self._work = settings.dlt_dir
        self._loader = Loader(resource, settings, warehouse)
        self._schema = self._loader.schema
        self._table = f"{self._schema}.{resource.entity}"
        self._is_completed = f"_dlt_load_id in ({completed_loads(self._schema)})"
        self._keys = {"entity": resource.entity, "source_file": resource.source_file}

    def since(self) -> str | None:
        """Return the time from which to read changes; None to read all records, as after an incomplete load.

        Times in the future, which a record may have by mistake, are ignored.
        """
        last = self._last_load()
        if not last or last["reason"]:
            return None
        now = datetime.now(UTC)
        found = self._warehouse.execute(
            f"select distinct {self._resource.cursor} from {self._table} where {self._is_completed}"
        )
        times = [time for (text,) in found.fetchall() if (time := parse_time(text)) and time <= now]
        return (max(times) - OVERLAP).isoformat().replace("+00:00", "Z") if times else None

    def write(self, batch: _Batch, since: str | None) -> LoadResult:
        """Write the rows that differ from those of the table; earlier rejects that were not read again are kept."""
        columns = list(
            dict.fromkeys([*self._warehouse.columns(self._schema, self._resource.entity), *batch.columns()])
        )
        changed = self._changed(batch, [name for name in columns if name not in PLATFORM_COLUMNS])
        before = self._rejected()
        rejected = {
            row_id: line
            for row_id, line in before.items()
            if batch.is_partial or not self._was_read(line["line"], since)
        } | batch.rejected
        total = self._count_unchanged(changed) + len(changed)
        counts = {
            "rows_read": total + len(rejected),
            "rows_loaded": total,
            "rows_rejected": len(rejected),
            "reason": batch.reason,
        }
        last = self._last_load()
        is_same = last and all(last[name] == value for name, value in counts.items())
        name, entity = self._resource.source_file, self._resource.entity
        reason = batch.reason if batch.is_partial else None
        if not len(changed) and is_same and rejected.keys() == before.keys():
            return LoadResult(name, entity, "partial" if reason else "skipped", reason=reason)
        known = {*self._resource.columns, *self._resource.optional, *PLATFORM_COLUMNS}
        extra = tuple(name for name in columns if name not in known)
        load = {"sha256": "", "bytes": 0, "status": "loaded", "loaded_at": datetime.now(UTC)}
        record = self._keys | load | counts | {"extra_columns": ", ".join(extra) or None}
        with tempfile.TemporaryDirectory(prefix="records_", dir=self._work) as folder:
            parquet = Path(folder) / "rows.parquet"
            pq.write_table(changed, parquet)
            rejects = [self._keys | line for line in rejected.values()]
            self._loader.load(parquet, len(changed), rejected=rejects, records=[record])
        return LoadResult(
            name,
            entity,
            "partial" if reason else "loaded",
            rows_read=len(batch.rows) + len(batch.rejected),
            rows_loaded=len(changed),
            rows_rejected=len(batch.rejected),
            extra_columns=extra,
            reason=reason,
        )

    def _changed(self, batch: _Batch, columns: list[str]) -> pa.Table:
        """Return the delivered rows that the raw table lacks, or has with other values."""
        texts = [*columns, "_row_id", "_source_file", "_corrects_row_id"]
        schema = pa.schema([*((name, pa.string()) for name in texts), ("_source_row", pa.int64())])
        constants = {"_source_file": self._resource.source_file, "_corrects_row_id": None}
        rows = [dict.fromkeys(columns) | row | constants for row in batch.rows.values()]
        existing = self._warehouse.columns(self._schema, self._resource.entity)
        values = [f'"{name}"' if name in existing else "null" for name in columns]
        found = self._warehouse.execute(
            f"select _row_id, {', '.join(values)} from {self._table}"
            f" where {self._is_completed} and _row_id in (select unnest(?::text[]))",
            [list(batch.rows)],
        )
        stored = {row_id: values for row_id, *values in found.fetchall()}
        differs = [stored.get(row["_row_id"]) != [row[name] for name in columns] for row in rows]
        return pa.Table.from_pylist(rows, schema=schema).filter(pa.array(differs, pa.bool_()))

    def _count_unchanged(self, changed: pa.Table) -> int:
        """Return the number of rows of the raw table that will not be replaced."""
        found = self._warehouse.execute(
            f"select count(*) from {self._table} where _row_id not in (select unnest(?::text[]))",
            [changed["_row_id"].to_pylist()],
        )
        return found.fetchall()[0][0]

    def _rejected(self) -> dict[str, dict[str, Any]]:
        names = ("_row_id", "line_number", "reason", "line")
        found = self._warehouse.execute(
            f"select {', '.join(names)} from {self._schema}.rejected_lines where entity = ? and source_file = ?",
            list(self._keys.values()),
        )
        return {row[0]: dict(zip(names, row, strict=True)) for row in found.fetchall()}

    def _was_read(self, line: str, since: str | None) -> bool:
        """Whether a reading since a time includes a record that was rejected before."""
        record, start = json.loads(line), parse_time(since)
        time = parse_time(record.get(self._resource.cursor)) if isinstance(record, dict) else None
        return start is None or (time is not None and time >= start)

    def _last_load(self) -> dict[str, Any] | None:
        """Return the resource's row of `file_loads`; None if no completed load has written one."""
        found = self._loader.file_loads(self._resource.entity, "loaded")
        return next((row for row in found if row["source_file"] == self._resource.source_file), None)
