"""The DuckDB file of a new version: a copy of the active one into which only the partitions that differ are written."""

import os
import shutil
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

import duckdb

from common.files import sync
from publishing.marts import MONTH_VIEWS_SCHEMA, SCHEMA
from publishing.table_stats import Table, TableStats, describe_tables, verify_written
from warehouse import literal, quoted
from warehouse.duckdb_file import DuckDbWarehouse

# No environment, and so no warehouse, has a name like this.
NAME = "_candidate"
# Readers open published files with their own DuckDB, 1.0 or later. The format is named so that an upgrade of DuckDB
# does not change it. After a change here the next publication writes whole files.
STORAGE_VERSION = "v1.0.0"
# DuckDB's files do not shrink. A file with a larger share of free blocks is written again; replacing one month of
# three leaves a third free, which the next publication fills.
MAX_FREE_SHARE = 0.4
# DuckDB's blocks have 256 KiB: the share of free blocks means nothing in a smaller file.
MIN_BLOCKS = 32


def copy(source: Path, target: Path) -> None:
    """Copy a file inside the kernel, which shares the blocks where the file system can, and flush it to disk."""
    with source.open("rb") as old, target.open("wb") as new:
        left = os.fstat(old.fileno()).st_size
        with suppress(OSError, AttributeError):  # not between all file systems, and not on macOS
            while left and (copied := os.copy_file_range(old.fileno(), new.fileno(), left)):
                left -= copied
        if left:
            old.seek(0)
            new.seek(0)
            shutil.copyfileobj(old, new, 1 << 20)
    sync(target)


def link_or_copy(source: Path, target: Path) -> None:
    """Give a file a second name, or copy it to another file system."""
    try:
        os.link(source, target)
    except OSError:
        copy(source, target)


def attach(connection: duckdb.DuckDBPyConnection, path: Path, name: str, option: str = "") -> None:
    """Attach a published file; without the option `read_only` in the storage format of published files."""
    option = option or f"storage_version '{STORAGE_VERSION}'"
    connection.execute(f"attach {literal(path)} as {quoted(name)} ({option})")


def storage_version(connection: duckdb.DuckDBPyConnection) -> str:
    """Return the storage format of the connection's file as DuckDB names it, such as `v1.0.0`."""
    ((tags,),) = connection.execute(
        "select tags from duckdb_databases() where database_name = current_database()"
    ).fetchall()
    return tags["storage_version"].removesuffix("+")


def write(
    warehouse: DuckDbWarehouse,
    tables: Mapping[str, Table],
    stats: Mapping[str, TableStats],
    base: Mapping[str, TableStats] | None,
    path: Path,
) -> None:
    """Write the tables to a file that holds `base` already; None if it does not exist.

    Raises:
        PublishError: the file does not hold the rows of the warehouse.
    """
    # A checkpoint would merge the row groups of neighbouring partitions, so that replacing one partition rewrote
    # others, and often most of the file.
    warehouse.execute("set max_vacuum_tasks = 0")
    _update(warehouse, tables, stats, base or {}, path)
    if base is not None and _has_too_much_free_space(warehouse):
        warehouse.execute(f"detach {NAME}")
        path.unlink()
        _update(warehouse, tables, stats, {}, path)
    warehouse.execute(f"detach {NAME}")
    warehouse.execute("reset max_vacuum_tasks")


def _update(
    warehouse: DuckDbWarehouse,
    tables: Mapping[str, Table],
    stats: Mapping[str, TableStats],
    base: Mapping[str, TableStats],
    path: Path,
) -> None:
    attach(warehouse.connection, path, NAME)
    warehouse.execute(f"create schema if not exists {NAME}.{SCHEMA}")
    for name in base.keys() - tables.keys():
        warehouse.execute(f"drop table {NAME}.{SCHEMA}.{quoted(name)}")
    written = {name: _write_table(warehouse, tables[name], stats[name], base.get(name)) for name in tables}
    _write_month_views(warehouse, tables)
    _write_comments(warehouse, tables)
    warehouse.execute(f"checkpoint {NAME}")
    found = describe_tables(warehouse, [table.mart for table in tables.values()], database=NAME)
    for name, keys in written.items():
        verify_written(warehouse, found[name], stats[name], keys)


def _write_table(
    warehouse: DuckDbWarehouse, table: Table, stats: TableStats, old: TableStats | None
) -> Collection[str]:
    """Write the partitions that differ; return their keys."""
    target = f"{NAME}.{SCHEMA}.{quoted(table.mart.name)}"
    changed, keys = stats.changed_partitions(old), {*stats.partitions, *(old.partitions if old else ())}
    if old and not changed:
        return changed
    if old and table.partition_by_column and changed < keys:
        rows = table.where_partition_in(changed)
        warehouse.execute(f"delete from {target} where {rows}")
        warehouse.execute(f"insert into {target} from {table.relation} where {rows}")
        return changed
    # Each partition has row groups of its own, so that replacing it later leaves no gaps.
    warehouse.execute("begin")
    warehouse.execute(f"create or replace table {target} as from {table.relation} limit 0")
    for key in sorted(stats.partitions):
        warehouse.execute(
            f"insert into {target} from {table.relation} where {table.where_partition_in([key])}"
        )
    warehouse.execute("commit")
    return changed


def _write_comments(warehouse: DuckDbWarehouse, tables: Mapping[str, Table]) -> None:
    """Make the descriptions of tables and columns their comments, so that the file explains itself in any client."""
    found = warehouse.execute(
        "select table_name, '', comment from duckdb_tables() where database_name = $name and schema_name = $schema"
        " union all select table_name, column_name, comment from duckdb_columns()"
        " where database_name = $name and schema_name = $schema",
        {"name": NAME, "schema": SCHEMA},
    ).fetchall()
    warehouse.execute("begin")
    for table, column, comment in found:
        mart = tables[table].mart
        text = mart.column_descriptions.get(column, "") if column else mart.description
        if text != (comment or ""):
            what, of_column = ("column", f".{quoted(column)}") if column else ("table", "")
            warehouse.execute(
                f"comment on {what} {NAME}.{SCHEMA}.{quoted(table)}{of_column} is {literal(text)}"
            )
    warehouse.execute("commit")


def _has_too_much_free_space(warehouse: DuckDbWarehouse) -> bool:
    ((total, free),) = warehouse.execute(
        "select total_blocks, free_blocks from pragma_database_size() where database_name = ?", [NAME]
    ).fetchall()
    return total > MIN_BLOCKS and free > MAX_FREE_SHARE * total


def _write_month_views(warehouse: DuckDbWarehouse, tables: Mapping[str, Table]) -> None:
    """Create the views per month by their text, which names a table without its database."""
    ((database,),) = warehouse.execute("select current_database()").fetchall()
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
