"""A PostgreSQL database beside a DuckDB warehouse: the same raw tables, and what dbt makes of them compared."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import psycopg2

from operations.dbt import run_dbt
from settings import Settings
from tests.servers.postgres import SUPERUSER, Postgres

#: The types that dlt gives a column on PostgreSQL, by DuckDB's names.
TYPES = {"VARCHAR": "varchar", "DOUBLE": "double precision", "TIMESTAMP WITH TIME ZONE": "timestamptz"}
#: PostgreSQL's name for the types of models, where it is another than DuckDB's in small letters.
NAMES = {
    "varchar": "text",
    "double": "double precision",
    "timestamp": "timestamp without time zone",
    "timestamp with time zone": "timestamp with time zone",
}
BUILT = "('clean', 'curated', 'marts', 'seeds', 'monthly')"
#: When something was built is the one thing in which two builds of the same rows differ.
EXCEPT = ("_judged_at", "_built_at")


class Twin:
    """A database on a server, which takes over what is in the warehouse of some settings."""

    def __init__(self, settings: Settings, server: Postgres, database: str = "sluice") -> None:
        server.psql(f"create database {database}")
        self._settings = settings
        self._variables = {
            "SLUICE_TARGET": "postgres",
            "SLUICE_POSTGRES_HOST": server.host,
            "SLUICE_POSTGRES_PORT": str(server.port),
            "SLUICE_POSTGRES_DATABASE": database,
            "SLUICE_POSTGRES_USER": SUPERUSER,
            "SLUICE_POSTGRES_PASSWORD": server.password,
            "DBT_TARGET_PATH": str(settings.data_dir / "dbt" / "postgres"),
        }
        self._connection = psycopg2.connect(
            host=server.host, port=server.port, dbname=database, user=SUPERUSER, password=server.password
        )
        self._connection.autocommit = True

    def take_raw(self) -> None:
        """Make the raw tables what they are in the warehouse."""
        with self._warehouse() as warehouse, TemporaryDirectory() as folder:
            for (schema, table), columns in _columns(warehouse, "table_schema like 'raw%'").items():
                types = [f'"{name}" {TYPES.get(kind, kind)}' for name, kind in columns.items()]
                self.query(f"create schema if not exists {schema}")
                # Views that stand on it stay.
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

    def build(self, *options: str) -> None:
        """Run `dbt build` on the database."""
        run_dbt(["build", *options], self._settings, quiet=True, variables=self._variables)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a statement, if it has any."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def compare(self) -> tuple[int, dict[str, str]]:
        """How many rows were compared, over all tables that dbt built, and what differs: `{table: how}`."""
        compared, found = 0, {}
        where = f"table_schema in {BUILT}"
        with self._warehouse() as warehouse, TemporaryDirectory() as folder:
            ours = _columns(warehouse, where)
            theirs = self._columns(where)
            for table in ours.keys() | theirs.keys():
                named = {name: _named(kind) for name, kind in ours.get(table, {}).items()}
                if named != theirs.get(table):
                    found[".".join(table)] = f"{named} {theirs.get(table)}"
                    continue
                rows, differing = self._compare(warehouse, table, ours[table], Path(folder, "rows.csv"))
                compared += rows
                if differing:
                    found[".".join(table)] = str(differing)
        return compared, found

    def _compare(
        self,
        warehouse: duckdb.DuckDBPyConnection,
        table: tuple[str, str],
        columns: dict[str, str],
        path: Path,
    ) -> tuple[int, list[Any]]:
        """Number of rows of a table, and the first of those that are in one database alone."""
        columns = {name: kind for name, kind in columns.items() if name not in EXCEPT}
        name, names = ".".join(table), ", ".join(f'"{column}"' for column in columns)
        texts = [f'"{column}"' for column, kind in columns.items() if kind == "VARCHAR"]
        quoted = f", force_quote ({', '.join(texts)})" if texts else ""
        with path.open("w") as rows, self._connection.cursor() as cursor:
            cursor.copy_expert(
                f"copy (select {names} from {name}) to stdout (format csv, null '\\N'{quoted})", rows
            )
        warehouse.execute(f"create or replace temp table theirs as select {names} from {name} limit 0")
        warehouse.execute(
            f"copy theirs from '{path}' (format csv, header false, nullstr '\\N', quote '\"', escape '\"', auto_detect false)"
        )
        one_way = f"(select {names} from {name} except all from theirs)"
        other_way = f"(from theirs except all select {names} from {name})"
        differing = warehouse.execute(f"{one_way} union all {other_way} limit 4").fetchall()
        return warehouse.execute(f"select count(*) from {name}").fetchone()[0], differing

    def _columns(self, where: str) -> dict[tuple[str, str], dict[str, str]]:
        kind = "case data_type when 'numeric' then format('numeric(%s,%s)', numeric_precision, numeric_scale) else data_type end"
        found = {}
        for schema, table, name, data_type in self.query(_columns_query(kind, where)):
            found.setdefault((schema, table), {})[name] = data_type.replace("character varying", "text")
        return found

    def _warehouse(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(str(self._settings.warehouse), read_only=True)
        connection.execute("set TimeZone = 'UTC'")
        return connection


def _columns(warehouse: duckdb.DuckDBPyConnection, where: str) -> dict[tuple[str, str], dict[str, str]]:
    found = {}
    for schema, table, name, kind in warehouse.execute(_columns_query("data_type", where)).fetchall():
        if not schema.endswith("_staging"):
            found.setdefault((schema, table), {})[name] = kind
    return found


def _columns_query(kind: str, where: str) -> str:
    return (
        f"select table_schema, table_name, column_name, {kind} from information_schema.columns "
        f"where {where} order by table_schema, table_name, ordinal_position"
    )


def _named(kind: str) -> str:
    """PostgreSQL's name for a type of DuckDB's."""
    kind = kind.lower().replace("decimal", "numeric")
    return NAMES.get(kind, kind)
