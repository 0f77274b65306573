"""A PostgreSQL database as the twin of a warehouse."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import psycopg2

from settings import Settings
from tests.dbt_project.twin import SCHEMAS, Table, Twin, columns_of, columns_query
from tests.servers.postgres import SUPERUSER, Postgres

#: The types that dlt gives a column on PostgreSQL, by DuckDB's names.
TYPES = {"VARCHAR": "varchar", "DOUBLE": "double precision", "TIMESTAMP WITH TIME ZONE": "timestamptz"}
#: PostgreSQL's names for the types of models that differ from DuckDB's in lower case.
NAMES = {
    "varchar": "text",
    "double": "double precision",
    "timestamp": "timestamp without time zone",
    "timestamp with time zone": "timestamp with time zone",
}


class PostgresTwin(Twin):
    """A database on a server."""

    def __init__(self, settings: Settings, server: Postgres, database: str = "sluice") -> None:
        server.psql(f"create database {database}")
        super().__init__(
            settings,
            {
                "SLUICE_TARGET": "postgres",
                "SLUICE_POSTGRES_HOST": server.host,
                "SLUICE_POSTGRES_PORT": str(server.port),
                "SLUICE_POSTGRES_DATABASE": database,
                "SLUICE_POSTGRES_USER": SUPERUSER,
                "SLUICE_POSTGRES_PASSWORD": server.password,
            },
        )
        self._connection = psycopg2.connect(
            host=server.host, port=server.port, dbname=database, user=SUPERUSER, password=server.password
        )
        self._connection.autocommit = True

    def take_raw(self) -> None:
        """Copy the raw tables from the warehouse."""
        with self.warehouse() as warehouse, TemporaryDirectory() as folder:
            for (schema, table), columns in columns_of(warehouse, "table_schema like 'raw%'").items():
                types = [f'"{name}" {TYPES.get(kind, kind)}' for name, kind in columns.items()]
                self.query(f"create schema if not exists {schema}")
                # Not dropped, so that dependent views stay.
                self.query(f"create table if not exists {schema}.{table} ({', '.join(types)})")
                self.query(f"truncate {schema}.{table}")
                path = Path(folder, "rows.csv")
                texts = [f'"{name}"' for name, kind in columns.items() if kind == "VARCHAR"]
                warehouse.execute(
                    f"copy {schema}.{table} to '{path}' (header false, nullstr '\\N', force_quote ({', '.join(texts)}))"
                )
                with path.open() as rows, self._connection.cursor() as cursor:
                    cursor.copy_expert(f"copy {schema}.{table} from stdin (format csv, null '\\N')", rows)
        self.query("analyze")

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows, if it has any."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def columns(self) -> dict[Table, dict[str, str]]:
        """Return the names and types of the columns of all that dbt built."""
        kind = "case data_type when 'numeric' then format('numeric(%s,%s)', numeric_precision, numeric_scale) else data_type end"
        found = {}
        for schema, table, name, data_type in self.query(columns_query(kind, f"table_schema in {SCHEMAS}")):
            found.setdefault((schema, table), {})[name] = data_type.replace("character varying", "text")
        return found

    def named(self, kind: str) -> str:
        """Return PostgreSQL's name for a type of DuckDB."""
        kind = kind.lower().replace("decimal", "numeric")
        return NAMES.get(kind, kind)

    def copy_table_to(
        self, warehouse: duckdb.DuckDBPyConnection, table: Table, columns: dict[str, str], folder: Path
    ) -> None:
        """Fill the table `theirs` of a connection with the rows of a table."""
        path = folder / "rows.csv"
        names = ", ".join(f'"{column}"' for column in columns)
        texts = [f'"{column}"' for column, kind in columns.items() if kind == "VARCHAR"]
        quoted = f", force_quote ({', '.join(texts)})" if texts else ""
        with path.open("w") as rows, self._connection.cursor() as cursor:
            cursor.copy_expert(
                f"copy (select {names} from {'.'.join(table)}) to stdout (format csv, null '\\N'{quoted})",
                rows,
            )
        warehouse.execute(
            f"copy theirs from '{path}' (format csv, header false, nullstr '\\N', quote '\"', escape '\"', auto_detect false)"
        )
