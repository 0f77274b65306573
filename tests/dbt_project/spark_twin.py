"""A Spark server as the twin of a warehouse."""

import re
from pathlib import Path
from typing import Any

import duckdb

from settings import Settings
from settings.warehouse import SparkServer
from tests.dbt_project.twin import SCHEMAS, Table, Twin, columns_of
from warehouse.spark_sql import SparkSql

#: Spark's names for types in a table's schema that differ from DuckDB's in lower case.
NAMES = {
    "varchar": "string",
    "bigint": "long",
    "timestamp with time zone": "timestamp",
}
#: The same in SQL.
TYPES = {"VARCHAR": "string", "TIMESTAMP WITH TIME ZONE": "timestamp"}
COLUMN = re.compile(r"^ \|-- (.+): (\S+) \(nullable = \w+\)$", re.MULTILINE)


class SparkTwin(Twin):
    """All tables of a server."""

    def __init__(self, settings: Settings, server: SparkServer) -> None:
        super().__init__(settings, {"SLUICE_TARGET": "spark", **server.environment()})
        self._sql = SparkSql(server)
        self._raw = settings.data_dir / "raw_of_spark"

    def take_raw(self) -> None:
        """Copy the raw tables from the warehouse, as Parquet files outside of the server's folder."""
        with self.warehouse() as warehouse:
            for (schema, table), columns in columns_of(warehouse, "table_schema like 'raw%'").items():
                folder = self._raw / schema / table
                folder.mkdir(parents=True, exist_ok=True)
                warehouse.execute(f"copy {schema}.{table} to '{folder}/rows.parquet'")
                types = ", ".join(f"`{name}` {TYPES.get(kind, kind)}" for name, kind in columns.items())
                self.query(f"create schema if not exists {schema}")
                self.query(f"drop table if exists {schema}.{table}")
                self.query(f"create table {schema}.{table} ({types}) using parquet location '{folder}'")

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows, if it has any."""
        return self._sql.run(sql)

    def columns(self) -> dict[Table, dict[str, str]]:
        """Return the names and types of the columns of all that dbt built."""
        self._sql.close()  # A session caches the list of a table's files.
        return {
            (schema, table): dict(COLUMN.findall(information))
            for schema in SCHEMAS
            for _, table, _, information in self.query(f"show table extended in {schema} like '*'")
        }

    def named(self, kind: str) -> str:
        """Return Spark's name for a type of DuckDB."""
        return NAMES.get(kind.lower(), kind.lower())

    def copy_table_to(
        self, warehouse: duckdb.DuckDBPyConnection, table: Table, columns: dict[str, str], folder: Path
    ) -> None:
        """Fill the table `theirs` of a connection with the rows of a table or view, which Spark exports."""
        names = ", ".join(f"`{column}`" for column in columns)
        self.query(
            f"insert overwrite directory '{folder}/rows' using parquet select {names} from {'.'.join(table)}"
        )
        warehouse.execute(f"insert into theirs by name from read_parquet('{folder}/rows/*.parquet')")
