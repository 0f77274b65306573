"""Writes a DuckDB file again if much of it is free: DuckDB uses free blocks again, but never gives them back."""

import logging
from pathlib import Path

from settings import Settings
from warehouse.duckdb_file import DuckDbWarehouse, connect
from warehouse.interface import WAIT_SECONDS, WarehouseError
from warehouse.sql import literal, quoted

# A smaller share is used again by the next builds.
MAX_FREE_SHARE = 0.5
# What a smaller file would give back is not worth the work.
LEAST_BYTES = 256 * 1024**2
NEW = "compacted"

log = logging.getLogger(__name__)


def compact(settings: Settings, *, least_bytes: int = LEAST_BYTES) -> int:
    """Write the file of the warehouse again if more than half of it is free, and return the bytes that this gave back.

    Nobody else has the file meanwhile. It is replaced by one rename, once every table has as many rows as before.

    Args:
        settings: those of a warehouse that is a file.
        least_bytes: the size of the free blocks from which on it is done.

    Raises:
        WarehouseBusyError: another process kept it.
        WarehouseError: the new file has not what the old one has, which stays.
    """
    if settings.target != "duckdb" or not settings.warehouse.exists():
        return 0
    new = settings.warehouse.with_name(f".{settings.warehouse.name}.{NEW}")
    with connect(settings, None, wait_seconds=WAIT_SECONDS, max_memory=None) as warehouse:
        warehouse.execute("checkpoint")
        ((block, total, free),) = warehouse.execute(
            "select block_size, total_blocks, free_blocks from pragma_database_size()"
        ).fetchall()
        if free <= MAX_FREE_SHARE * total or free * block < least_bytes:
            return 0
        before = settings.warehouse.stat().st_size
        try:
            _copy(warehouse, new)
            new.replace(settings.warehouse)
        finally:
            for path in (new, new.with_name(f"{new.name}.wal")):
                path.unlink(missing_ok=True)
        saved = before - settings.warehouse.stat().st_size
    log.info("%s: %.0f MB given back", settings.warehouse, saved / 1e6)
    return saved


def _copy(warehouse: DuckDbWarehouse, new: Path) -> None:
    new.unlink(missing_ok=True)
    ((name,),) = warehouse.execute("select current_database()").fetchall()
    warehouse.execute(f"attach {literal(new)} as {NEW} (storage_version 'latest')")
    try:
        warehouse.execute(f"copy from database {quoted(name)} to {NEW}")
        old, copied = _rows(warehouse, name), _rows(warehouse, NEW)
        if old != copied:
            different = sorted(table for table in {*old, *copied} if old.get(table) != copied.get(table))
            raise WarehouseError(
                f"the copy of {', '.join(different[:5])} is not complete; the file stays as it is"
            )
    finally:
        warehouse.execute(f"detach {NEW}")


def _rows(warehouse: DuckDbWarehouse, database: str) -> dict[str, int]:
    """Return the rows of each table; -1 for a view."""
    found = warehouse.execute(
        "select schema_name, table_name from duckdb_tables()"
        f" where database_name = {literal(database)} and not internal"
    ).fetchall()
    views = warehouse.execute(
        "select schema_name, view_name from duckdb_views()"
        f" where database_name = {literal(database)} and not internal"
    ).fetchall()
    rows = {f"{schema}.{view}": -1 for schema, view in views}
    for schema, table in found:
        ((count,),) = warehouse.execute(
            f"select count(*) from {quoted(database)}.{quoted(schema)}.{quoted(table)}"
        ).fetchall()
        rows[f"{schema}.{table}"] = count
    return rows
