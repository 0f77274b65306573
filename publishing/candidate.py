"""The file of a new version: the bytes of the published one, in which only what differs is written."""

import os
import shutil
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

from common.files import sync
from publishing.marts import SCHEMA
from publishing.table_stats import Table, TableStats, look, verify
from warehouse import quoted
from warehouse.duckdb_file import DuckDbWarehouse

# No environment, and so no warehouse, has a name like this.
NAME = "_candidate"
MONTH_VIEWS_SCHEMA = "monthly"
# DuckDB's files do not shrink. A file of which more than this is free is written anew; replacing one month of three
# leaves a third free, which the next publication fills again.
MOST_FREE = 0.4
# Below it, a share of free blocks says nothing: DuckDB's blocks have 256 KiB.
LEAST_BLOCKS = 32


def copy(source: Path, target: Path) -> None:
    """Copy a file's bytes inside the kernel, which shares them where the file system can, and bring them to disk."""
    with source.open("rb") as old, target.open("wb") as new:
        left = os.fstat(old.fileno()).st_size
        with suppress(OSError, AttributeError):  # not between all file systems, and not on a Mac
            while left and (copied := os.copy_file_range(old.fileno(), new.fileno(), left)):
                left -= copied
        if left:
            old.seek(0)
            new.seek(0)
            shutil.copyfileobj(old, new, 1 << 20)
    sync(target)


def write(
    warehouse: DuckDbWarehouse,
    tables: Mapping[str, Table],
    profiles: Mapping[str, TableStats],
    base: Mapping[str, TableStats] | None,
    path: Path,
) -> None:
    """Make a file hold these tables.

    Args:
        warehouse: where the tables are.
        tables: what to write.
        profiles: what is in them.
        base: what the file holds already; None if there is no file.
        path: the file.

    Raises:
        PublishError: what was written is not what is in the warehouse.
    """
    _bring_up_to_date(warehouse, tables, profiles, base or {}, path)
    if base is not None and _is_wasteful(warehouse):
        warehouse.execute(f"detach {NAME}")
        path.unlink()
        _bring_up_to_date(warehouse, tables, profiles, {}, path)
    warehouse.execute(f"detach {NAME}")


def _bring_up_to_date(
    warehouse: DuckDbWarehouse,
    tables: Mapping[str, Table],
    profiles: Mapping[str, TableStats],
    base: Mapping[str, TableStats],
    path: Path,
) -> None:
    text = str(path).replace("'", "''")
    warehouse.execute(f"attach '{text}' as {NAME}")
    warehouse.execute(f"create schema if not exists {NAME}.{SCHEMA}")
    for name in base.keys() - tables.keys():
        warehouse.execute(f"drop table {NAME}.{SCHEMA}.{quoted(name)}")
    written = {name: _write(warehouse, tables[name], profiles[name], base.get(name)) for name in tables}
    _write_month_views(warehouse, tables)
    warehouse.execute(f"checkpoint {NAME}")
    found = look(warehouse, [table.mart for table in tables.values()], database=NAME)
    for name, keys in written.items():
        verify(warehouse, found[name], profiles[name], keys)


def _write(
    warehouse: DuckDbWarehouse, table: Table, profile: TableStats, old: TableStats | None
) -> Collection[str]:
    """Write what differs; return the keys of the partitions that do."""
    target = f"{NAME}.{SCHEMA}.{quoted(table.mart.name)}"
    keys = {*profile.partitions, *(old.partitions if old else ())}
    if (
        not old
        or list(old.columns.items()) != list(profile.columns.items())
        or old.partition_by_column != profile.partition_by_column
    ):
        changed = keys
    else:
        changed = {key for key in keys if not _same(profile, old, key)}
    if not changed and old:
        return changed
    if old and table.partition_by_column and changed < keys:
        rows = table.of_partitions(changed)
        warehouse.execute(f"delete from {target} where {rows}")
        warehouse.execute(f"insert into {target} from {table.relation} where {rows}")
    else:
        _write_whole(warehouse, table, profile, target)
    return changed


def _write_whole(warehouse: DuckDbWarehouse, table: Table, profile: TableStats, target: str) -> None:
    """Write a table, slice by slice: each in row groups of its own, the one that is replaced later leaves no gaps."""
    warehouse.execute("begin")
    warehouse.execute(f"create or replace table {target} as from {table.relation} limit 0")
    for key in sorted(profile.partitions):
        warehouse.execute(f"insert into {target} from {table.relation} where {table.of_partitions([key])}")
    warehouse.execute("commit")


def _same(profile: TableStats, old: TableStats, key: str) -> bool:
    return key in profile.partitions and profile.partitions[key].same_rows(old.partitions.get(key))


def _is_wasteful(warehouse: DuckDbWarehouse) -> bool:
    total, free = warehouse.execute(
        "select total_blocks, free_blocks from pragma_database_size() where database_name = ?", [NAME]
    ).fetchone()
    return total > LEAST_BLOCKS and free > MOST_FREE * total


def _write_month_views(warehouse: DuckDbWarehouse, tables: Mapping[str, Table]) -> None:
    """Make the views of the months anew; they name their table without its database, so the text will do."""
    (database,) = warehouse.execute("select current_database()").fetchone()
    warehouse.execute(f"drop schema if exists {NAME}.{MONTH_VIEWS_SCHEMA} cascade")
    if not any(table.mart.month_views for table in tables.values()):
        return
    views = warehouse.execute(
        "select sql from duckdb_views() where database_name = ? and schema_name = ?",
        [database, MONTH_VIEWS_SCHEMA],
    ).fetchall()
    warehouse.execute(f"use {NAME}")
    try:
        warehouse.execute(f"create schema {MONTH_VIEWS_SCHEMA}")
        for (sql,) in views:
            if any(f" FROM {SCHEMA}.{name} " in sql for name in tables):
                warehouse.execute(sql)
    finally:
        warehouse.execute(f"use {quoted(database)}")
