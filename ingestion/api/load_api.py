"""Loads what an API has now into the raw tables of one endpoint.

The raw table has one row per record, as it was delivered last. Records are compared before anything is written, so a
load that brings nothing new writes nothing. The next load reads on from the newest time among the rows that completed
loads have written; rows that a killed load left behind do not count, and are loaded again.
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

from ingestion.api.api_resource import ApiResource, IncompleteError
from ingestion.api.records import NoRecordError, as_line, as_row, as_time
from ingestion.loader.loader import Loader
from ingestion.loader.tables import completed_loads
from ingestion.results import LoadResult
from settings import Settings
from warehouse import Warehouse, connect

# A record may become visible later than the time of its change says, because of transactions, replicas or clocks.
OVERLAP = timedelta(days=1)
PLATFORM_COLUMNS = ("_source_file", "_source_row", "_row_id", "_corrects_row_id", "_dlt_load_id")


def load_api(
    endpoint: ApiResource, settings: Settings, *, limit: int | None = None, **patience: float
) -> LoadResult:
    """Load what is new or changed; safe to repeat at any time.

    Args:
        endpoint: what to load.
        settings: which data folder and environment; they have the address of the API.
        limit: take at most this many records; the next load without a limit reads all of them.
        patience: `timeout`, `tries` and `first_wait` of `ApiClient`.

    Returns:
        What was done: `partial`, with the reason, if the API did not give everything.

    Raises:
        ApiError: the API could not be read; nothing is loaded, and the next call begins where this one did.
        LoadError: dlt could not write.
        WarehouseBusyError: another process kept the warehouse.
    """
    settings.dlt_dir.mkdir(parents=True, exist_ok=True)
    with connect(settings, endpoint.domain) as warehouse:
        since = _EndpointStore(endpoint, settings, warehouse).since()
        normalize_column_name = warehouse.normalize_column_name
    # Other processes may use the warehouse while the API is read.
    delivery = _Delivery(endpoint, normalize_column_name)
    try:
        for page in endpoint.read(settings, since, **patience):
            delivery.add(page[: None if limit is None else limit - delivery.position])
            if delivery.position == limit:
                delivery.note = f"the first {limit} only"
                break
    except IncompleteError as error:
        delivery.note, delivery.is_partial = str(error), True
    with connect(settings, endpoint.domain) as warehouse:
        return _EndpointStore(endpoint, settings, warehouse).write(delivery, since)


@dataclass
class _Delivery:
    """What one reading of an API brought: the last version of each record, and what could not be read as one."""

    endpoint: ApiResource
    # A field's name as the raw table has it.
    normalize_column_name: Callable[[str], str]
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    rejected: dict[str, dict[str, Any]] = field(default_factory=dict)
    position: int = 0
    # Why it is incomplete; None if it is not.
    note: str | None = None
    # Whether that is the API's doing.
    is_partial: bool = False

    def add(self, page: list[Any]) -> None:
        """Take a page. A record that comes a second time replaces its earlier version, unless that is newer."""
        for record in page:
            self.position += 1
            try:
                row = {self.normalize_column_name(name): value for name, value in as_row(record).items()}
                identity = self.endpoint.identify(row)
                if not identity or not identity.strip():
                    raise NoRecordError("it has nothing that it could be known by")
            except NoRecordError as error:
                self._reject(record, str(error))
                continue
            row_id = _hashed(self.endpoint.source_file, identity.strip())
            if self._is_older(row, self.rows.get(row_id)):
                continue
            self.rows[row_id] = row | {"_source_row": self.position, "_row_id": row_id}

    def _is_older(self, row: dict[str, Any], known: dict[str, Any] | None) -> bool:
        times = [as_time(each.get(self.endpoint.cursor)) for each in (row, known or {})]
        return all(times) and times[0] < times[1]

    def columns(self) -> list[str]:
        """The columns of all rows, in the order of their appearance."""
        return list(dict.fromkeys(name for row in self.rows.values() for name in row))

    def _reject(self, record: Any, reason: str) -> None:
        line = as_line(record)
        row_id = f"{_hashed(self.endpoint.source_file, line)}-L"
        self.rejected.setdefault(
            row_id, {"line_number": self.position, "reason": reason, "line": line, "_row_id": row_id}
        )


class _EndpointStore:
    """The raw tables of one endpoint, held open for writing."""

    def __init__(self, endpoint: ApiResource, settings: Settings, warehouse: Warehouse) -> None:
        self._endpoint = endpoint
        self._warehouse = warehouse
        self._work = settings.dlt_dir
        self._loader = Loader(endpoint, settings, warehouse)
        self._schema = self._loader.schema
        self._table = f"{self._schema}.{endpoint.entity}"

    def since(self) -> str | None:
        """The time from which to read changes; None to read all records, as after a load that was incomplete.

        Times in the future, which a record may have by mistake, are ignored.
        """
        noted = self._loaded()
        if not noted or noted["reason"]:
            return None
        now = datetime.now(UTC)
        found = self._warehouse.execute(
            f"select distinct {self._endpoint.cursor} from {self._table} where {self._is_completed()}"
        )
        times = [time for (text,) in found.fetchall() if (time := as_time(text)) and time <= now]
        return (max(times) - OVERLAP).isoformat().replace("+00:00", "Z") if times else None

    def write(self, delivery: _Delivery, since: str | None) -> LoadResult:
        """Write what differs from what is there.

        Args:
            delivery: what was read.
            since: the time from which it was read; records rejected earlier stay on the list.

        Raises:
            LoadError: dlt could not write.
        """
        name, entity = self._endpoint.source_file, self._endpoint.entity
        changed = self._changed(delivery)
        before = self._rejected()
        rejected = {
            row_id: line for row_id, line in before.items() if delivery.is_partial or self._stays(line, since)
        } | delivery.rejected
        total = self._rows_beside(changed) + len(changed)
        counts = {
            "rows_read": total + len(rejected),
            "rows_loaded": total,
            "rows_rejected": len(rejected),
            "reason": delivery.note,
        }
        noted = self._loaded()
        settled = noted and all(noted[name] == value for name, value in counts.items())
        reason = delivery.note if delivery.is_partial else None
        if not len(changed) and settled and rejected.keys() == before.keys():
            return LoadResult(name, entity, "partial" if reason else "skipped", reason=reason)
        known = {*self._endpoint.columns, *self._endpoint.optional, *PLATFORM_COLUMNS}
        extra = tuple(column for column in self._columns(delivery) if column not in known)
        record = {"entity": entity, "source_file": name, "sha256": "", "bytes": 0}

        record |= counts | {
            "status": "loaded",
            "loaded_at": datetime.now(UTC),
            "extra_columns": ", ".join(extra) or None,
        }
        with tempfile.TemporaryDirectory(prefix="records_", dir=self._work) as folder:
            parquet = Path(folder) / "rows.parquet"
            pq.write_table(changed, parquet)
            self._loader.load(
                parquet,
                len(changed),
                rejected=[{"entity": entity, "source_file": name} | line for line in rejected.values()],
                records=[record],
            )
        return LoadResult(
            name,
            entity,
            "partial" if reason else "loaded",
            rows_read=len(delivery.rows) + len(delivery.rejected),
            rows_loaded=len(changed),
            rows_rejected=len(delivery.rejected),
            extra_columns=extra,
            reason=reason,
        )

    def _changed(self, delivery: _Delivery) -> pa.Table:
        """The delivered rows that the raw table lacks, or has with other values."""
        columns = [column for column in self._columns(delivery) if column not in PLATFORM_COLUMNS]
        texts = [*columns, "_row_id", "_source_file", "_corrects_row_id"]
        shape = pa.schema([*((name, pa.string()) for name in texts), ("_source_row", pa.int64())])
        constants = {"_source_file": self._endpoint.source_file, "_corrects_row_id": None}
        rows = [dict.fromkeys(columns) | row | constants for row in delivery.rows.values()]
        delivered = pa.Table.from_pylist(rows, schema=shape)
        there = self._warehouse.columns(self._schema, self._endpoint.entity)
        standing = [f'"{column}"' if column in there else "null" for column in columns]
        found = self._warehouse.execute(
            f"select _row_id, {', '.join(standing)} from {self._table}"
            f" where {self._is_completed()} and _row_id in (select unnest(?::text[]))",
            [list(delivery.rows)],
        )
        known = {row_id: values for row_id, *values in found.fetchall()}
        differ = [known.get(row["_row_id"]) != [row[column] for column in columns] for row in rows]
        return delivered.filter(pa.array(differ, pa.bool_()))

    def _columns(self, delivery: _Delivery) -> list[str]:
        """The columns of the raw table, followed by new ones."""
        there = self._warehouse.columns(self._schema, self._endpoint.entity)
        return list(dict.fromkeys([*there, *delivery.columns()]))

    def _rows_beside(self, changed: pa.Table) -> int:
        """Rows of the raw table that will not be replaced."""
        found = self._warehouse.execute(
            f"select count(*) from {self._table} where _row_id not in (select unnest(?::text[]))",
            [changed["_row_id"].to_pylist()],
        )
        return found.fetchone()[0]

    def _rejected(self) -> dict[str, dict[str, Any]]:
        found = self._warehouse.execute(
            f"select _row_id, line_number, reason, line from {self._schema}.rejected_lines where entity = ? and source_file = ?",
            [self._endpoint.entity, self._endpoint.source_file],
        )
        names = [column[0] for column in found.description]
        return {row[0]: dict(zip(names, row, strict=True)) for row in found.fetchall()}

    def _stays(self, line: dict[str, Any], since: str | None) -> bool:
        """Whether a line rejected before stays on the list, because this reading did not go back to its time."""
        return since is not None and not _is_since(line["line"], self._endpoint.cursor, since)

    def _loaded(self) -> dict[str, Any] | None:
        """The endpoint's row of `file_loads`; None if no completed load has written one."""
        found = self._loader.file_loads(self._endpoint.entity, "loaded")
        return next((row for row in found if row["source_file"] == self._endpoint.source_file), None)

    def _is_completed(self) -> str:
        return f"_dlt_load_id in ({completed_loads(self._schema)})"


def _is_since(line: str, cursor: str, since: str) -> bool:
    """Whether a record says that it was changed at or after a time."""
    record = json.loads(line)
    time = as_time(record.get(cursor)) if isinstance(record, dict) else None
    return bool(time) and time >= as_time(since)


def _hashed(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
