"""Copy the raw tables of the DuckDB file to Parquet files in the lake, which the cluster reads as tables.

    <lake>/raw_<domain>/<table>/<load id>-<rows>.parquet

Rows of a load are added and removed but never changed, so a file with the same load and number of rows has the same
rows. After a kill the next process continues: it writes missing files and removes those with other rows.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from common.files import sync
from warehouse.spark_sql import SparkSql, backquoted
from warehouse.sql import literal

if TYPE_CHECKING:
    import duckdb

LOAD = "_dlt_load_id"
# DuckDB's names of types where Spark has others; all sessions are in UTC.
KINDS = {
    "VARCHAR": "string",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
    "TIMESTAMP": "timestamp_ntz",
    "INTEGER": "int",
    "UINTEGER": "bigint",
    "USMALLINT": "int",
    "UTINYINT": "smallint",
    "BLOB": "binary",
}


def write_raw_parquet(
    connection: "duckdb.DuckDBPyConnection", schema: str, lake: Path, spark: SparkSql
) -> None:
    """Make the raw tables of a schema in the lake equal to those in the file.

    Raises:
        WarehouseUnavailableError: the cluster cannot be reached.
        WarehouseError: it rejected a table.
    """
    tables: dict[str, dict[str, str]] = {}
    for table, column, kind in connection.execute(
        "select table_name, column_name, data_type from duckdb_columns()"
        " where database_name = current_database() and schema_name = ? order by table_name, column_index",
        [schema],
    ).fetchall():
        tables.setdefault(table, {})[column] = KINDS.get(kind, kind.lower())
    # dlt's own tables are not inputs of models.
    tables = {
        name: columns for name, columns in tables.items() if LOAD in columns and not name.startswith("_dlt")
    }
    if not tables:
        return
    spark.run(f"create schema if not exists {backquoted(schema)} location '{lake / schema}'")
    known = set(spark.tables(schema))
    for table, columns in tables.items():
        folder = lake / schema / table
        has_changed = _copy_loads(connection, f'"{schema}"."{table}"', folder)
        _declare(spark, schema, table, columns, folder, is_known=table in known, has_changed=has_changed)


def _copy_loads(connection: "duckdb.DuckDBPyConnection", relation: str, folder: Path) -> bool:
    """Write missing loads, remove obsolete ones; return whether there were any."""
    folder.mkdir(parents=True, exist_ok=True)
    loads = {
        f"{load or 'none'}-{rows}.parquet": load
        for load, rows in connection.execute(
            f"select {LOAD}, count(*) from {relation} group by 1 order by 1"
        ).fetchall()
    }
    existing = {path.name for path in folder.iterdir()}
    for name in sorted(loads.keys() - existing):
        # Spark ignores files whose names begin with a dot.
        new = folder / f".{name}.{os.getpid()}"
        connection.execute(
            f"copy (from {relation} where {LOAD} is not distinct from $load) to {literal(new)} (format parquet)",
            {"load": loads[name]},
        )
        sync(new)
        new.replace(folder / name)
    obsolete = existing - loads.keys()
    for name in obsolete:
        (folder / name).unlink(missing_ok=True)
    return loads.keys() != existing


def _declare(
    spark: SparkSql,
    schema: str,
    table: str,
    columns: Mapping[str, str],
    folder: Path,
    *,
    is_known: bool,
    has_changed: bool,
) -> None:
    """Declare the table to the cluster with its current columns."""
    name = f"{backquoted(schema)}.{backquoted(table)}"
    if is_known and spark.columns(schema, table) != columns:
        spark.run(f"drop table {name}")
        is_known = False
    if not is_known:
        listed = ", ".join(f"{backquoted(column)} {kind}" for column, kind in columns.items())
        spark.run(f"create table {name} ({listed}) using parquet location '{folder}'")
    elif has_changed:
        spark.run(f"refresh table {name}")
