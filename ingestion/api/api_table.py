"""The raw table of an API, with its rows of `rejected_lines` and `file_loads`."""

import json
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ingestion.api.api_resource import ApiResource
from ingestion.api.batch import Batch, Start
from ingestion.api.errors import Unread
from ingestion.api.times import OVERLAP, parse_time
from ingestion.loader.loader import Loader
from ingestion.loader.tables import completed_loads
from ingestion.results import LoadResult
from settings import Settings
from warehouse import Warehouse
from warehouse.sql import literal

PLATFORM_COLUMNS = ("_source_file", "_source_row", "_row_id", "_corrects_row_id", "_dlt_load_id")


class ApiTable:
    """The raw table of a resource, opened for writing."""

    def __init__(self, resource: ApiResource, settings: Settings, warehouse: Warehouse) -> None:
        self._resource = resource
        self._warehouse = warehouse
        self._work = settings.dlt_dir
        self._loader = Loader(resource, settings, warehouse)
        self._schema = self._loader.schema
        self._table = f"{self._schema}.{resource.entity}"
        # Files may be loaded into the table, too.
        self._own_rows = f"{self._table} where _source_file = {literal(resource.source_file)}"
        self._is_completed = f"_dlt_load_id in ({completed_loads(self._schema)})"
        self._keys = {"entity": resource.entity, "source_file": resource.source_file}

    def start(self) -> Start:
        """Return where the next reading is to start: behind the last load, or at the first record if it was incomplete."""
        last = self._last_load()
        columns = tuple(self._warehouse.columns(self._schema, self._resource.entity))
        if not last:
            return Start(columns=columns)
        unread = last.get("unread") and Unread(**json.loads(last["unread"]))
        since = None if last["reason"] and not unread else self._since()
        return Start(since, unread or None, str(last["loaded_at"]), columns)

    def _since(self) -> str | None:
        """Return the time from which to read changes. Times in the future, which a record may have by mistake, do not count."""
        now = datetime.now(UTC)
        found = self._warehouse.execute(
            f"select distinct {self._resource.cursor} from {self._own_rows} and {self._is_completed}"
        )
        times = [time for (text,) in found.fetchall() if (time := parse_time(text)) and time <= now]
        return (max(times) - OVERLAP).isoformat().replace("+00:00", "Z") if times else None

    def write(self, batch: Batch) -> LoadResult:
        """Write the rows that differ from those of the table; earlier rejects that were not read again are kept."""
        start, name, entity = batch.start, self._resource.source_file, self._resource.entity
        last = self._last_load()
        if (str(last["loaded_at"]) if last else None) != start.after_load:
            reason = (
                "another load wrote the table after these records were read; the next load reads them again"
            )
            return LoadResult(name, entity, "skipped", reason=reason)
        columns = list(
            dict.fromkeys([*self._warehouse.columns(self._schema, self._resource.entity), *batch.columns()])
        )
        changed = self._changed(batch, [name for name in columns if name not in PLATFORM_COLUMNS])
        before = self._rejected()
        rejected = {
            row_id: line
            for row_id, line in before.items()
            if batch.is_partial or start.unread or not self._was_read(line["line"], start.since)
        } | batch.rejected
        total = self._count_unchanged(changed) + len(changed)
        counts = {
            "rows_read": total + len(rejected),
            "rows_loaded": total,
            "rows_rejected": len(rejected),
            "reason": batch.reason,
            "unread": json.dumps(asdict(batch.unread)) if batch.unread else None,
        }
        is_same = last and all(last.get(column) == value for column, value in counts.items())
        reason = batch.reason if batch.is_partial else None
        if not len(changed) and is_same and rejected.keys() == before.keys():
            return LoadResult(name, entity, "partial" if reason else "skipped", reason=reason)
        known = {*self._resource.columns, *self._resource.optional, *PLATFORM_COLUMNS}
        extra = tuple(name for name in columns if name not in known)
        load = {"sha256": "", "delivery": 1, "bytes": 0, "status": "loaded", "loaded_at": datetime.now(UTC)}
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

    def _changed(self, batch: Batch, columns: list[str]) -> pa.Table:
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
        """Return the number of rows of the API that will not be replaced."""
        found = self._warehouse.execute(
            f"select count(*) from {self._own_rows} and _row_id not in (select unnest(?::text[]))",
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
