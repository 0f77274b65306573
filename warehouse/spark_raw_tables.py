"""The raw tables of a DuckDB file as Parquet files of the lake, which the cluster reads as tables.

    <lake>/raw_<domain>/<table>/<load id>-<rows>.parquet

Rows of a load never change, they come and go; so a file whose load has as many rows is the same rows. What a killed
process leaves undone, the next one does: files that are missing are written, those of other rows are removed.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from common.files import sync
from warehouse.spark_sql import SparkSql, backquoted

if TYPE_CHECKING:
    import duckdb

LOAD = "_dlt_load_id"
# DuckDB's names of types that are not Spark's; with a zone or without, a time is a moment, for sessions are in UTC.
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
    """Make the lake hold the raw tables of a schema as they are.

    Raises:
        WarehouseBusyError: the cluster cannot be reached.
        WarehouseError: it refused a table.
    """
    tables: dict[str, dict[str, str]] = {}
    for table, column, kind in connection.execute(
        "select table_name, column_name, data_type from duckdb_columns()"
        " where database_name = current_database() and schema_name = ? order by table_name, column_index",
        [schema],
    ).fetchall():
        tables.setdefault(table, {})[column] = KINDS.get(kind, kind.lower())
    # The state of dlt, which has tables of its own, is no input of a model.
    tables = {
        name: columns for name, columns in tables.items() if LOAD in columns and not name.startswith("_dlt")
    }
    if not tables:
        return
    spark.run(f"create schema if not exists {backquoted(schema)} location '{lake / schema}'")
    known = set(spark.tables(schema))
    for table, columns in tables.items():
        folder = lake / schema / table
        has_changed = _bring(connection, f'"{schema}"."{table}"', folder)
        _declare(spark, schema, table, columns, folder, is_known=table in known, has_changed=has_changed)


def _bring(connection: "duckdb.DuckDBPyConnection", relation: str, folder: Path) -> bool:
    """Write the loads that the folder has not, remove those that are gone; say whether there were any."""
    folder.mkdir(parents=True, exist_ok=True)
    loads = {
        f"{load or 'none'}-{rows}.parquet": load
        for load, rows in connection.execute(
            f"select {LOAD}, count(*) from {relation} group by 1 order by 1"
        ).fetchall()
    }
    there = {path.name for path in folder.iterdir()}
    for name in sorted(loads.keys() - there):
        # What begins with a dot is no table's for Spark.
        new = folder / f".{name}.{os.getpid()}"
        text = str(new).replace("'", "''")
        connection.execute(
            f"copy (from {relation} where {LOAD} is not distinct from $load) to '{text}' (format parquet)",
            {"load": loads[name]},
        )
        sync(new)
        new.replace(folder / name)
    gone = there - loads.keys()
    for name in gone:
        (folder / name).unlink(missing_ok=True)
    return bool(gone) or bool(loads.keys() - there)


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
    """Let the cluster know the table, with the columns that it has now."""
    name = f"{backquoted(schema)}.{backquoted(table)}"
    if is_known and spark.columns(schema, table) != columns:
        spark.run(f"drop table {name}")
        is_known = False
    if not is_known:
        listed = ", ".join(f"{backquoted(column)} {kind}" for column, kind in columns.items())
        spark.run(f"create table {name} ({listed}) using parquet location '{folder}'")
    elif has_changed:
        spark.run(f"refresh table {name}")
