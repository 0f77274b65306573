"""A PostgreSQL database as the warehouse: runs of different domains write side by side.

Each run holds its domain's advisory lock, which the server releases when the connection ends, however it ends.
Statements that other connections of a killed run still execute are ended before the next run begins.
"""

import re
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import psycopg2

from settings import Settings
from settings.warehouse import PostgresServer
from warehouse.interface import (
    WAIT_SECONDS,
    Column,
    ImportFile,
    Parameters,
    WarehouseError,
    WarehouseUnavailableError,
)
from warehouse.postgres_copy import read_copied_csv, write_copy_text
from warehouse.postgres_lock import end_leftovers, load_application, lock
from warehouse.sql import quoted

if TYPE_CHECKING:
    import duckdb
    from dlt.common.destination import Destination

CONNECT_SECONDS = 15
# The longest name; dlt shortens longer ones in the same way.
MAX_NAME_LENGTH = 63
# Parameters as this project writes them; psycopg2 has other ones.
PARAMETER = re.compile(r"\?|(?<!\$)\$([a-z_]+)\b")


class PostgresWarehouse:
    """The open database; see `Warehouse`. Code that is specific to PostgreSQL uses `connection`."""

    def __init__(
        self, connection: "psycopg2.extensions.connection", server: PostgresServer, domain: str | None = None
    ) -> None:
        self.connection = connection
        self._server = server
        self._domain = domain

    def execute(self, sql: str, parameters: Parameters | None = None) -> "psycopg2.extensions.cursor":
        cursor = self.connection.cursor()
        try:
            if parameters is None:
                cursor.execute(sql)
            else:
                cursor.execute(_with_placeholders(sql), parameters)
        except psycopg2.Error as error:
            raise WarehouseError(str(error).strip()) from error
        return cursor

    def columns(self, schema: str, table: str) -> list[str]:
        found = self.execute(
            "select attname from pg_attribute where attrelid = to_regclass(?) and attnum > 0"
            " and not attisdropped order by attnum",
            [f"{quoted(schema)}.{quoted(table)}"],
        )
        return [name for (name,) in found.fetchall()]

    def drop_columns(self, schema: str, table: str, columns: Sequence[str], views: Collection[str]) -> None:
        if not columns:
            return
        dropped = ", ".join(f"drop column {quoted(name)}" for name in columns)
        # In one call, which is one transaction.
        self.execute(
            "".join(f"drop view if exists clean.{quoted(view)}; " for view in views)
            + f"alter table {quoted(schema)}.{quoted(table)} {dropped}"
        )

    def destination(self) -> "Destination":
        from warehouse.postgres_dlt import destination

        return destination(self._server, load_application(self._domain))

    def normalize_column_name(self, column: str) -> str:
        from dlt.common.normalizers.naming.snake_case import NamingConvention

        return NamingConvention(MAX_NAME_LENGTH).normalize_identifier(column)

    def import_file(self, parquet: Path) -> ImportFile:
        return ImportFile(write_copy_text(parquet), "csv")

    def sha256(self, text: str) -> str:
        return f"encode(sha256(convert_to({text}, 'UTF8')), 'hex')"

    def tables(self, schema: str) -> dict[str, list[Column]]:
        found: dict[str, list[Column]] = {}
        for table, *column in self.execute(
            "select class.relname, attname, format_type(atttypid, atttypmod), not attnotnull"
            " from pg_attribute join pg_class as class on class.oid = attrelid"
            " where relnamespace = to_regnamespace(?) and relkind in ('r', 'p', 'v', 'm')"
            " and attnum > 0 and not attisdropped order by class.relname, attnum",
            [quoted(schema)],
        ).fetchall():
            found.setdefault(table, []).append(Column(*column))
        return found

    def row_hashes(self, columns: Sequence[str]) -> str:
        return f"coalesce(sum(hashtextextended(row({', '.join(map(quoted, columns))})::text, 0)::numeric), 0)"

    def is_finite(self, column: str) -> str:
        return f"{quoted(column)} not in ('Infinity', '-Infinity', 'NaN')"

    def copy_table_to(
        self, schema: str, table: str, into: "duckdb.DuckDBPyConnection", relation: str
    ) -> None:
        columns = self.tables(schema).get(table)
        if columns is None:
            raise WarehouseError(f"there is no table {schema}.{table}")
        with tempfile.NamedTemporaryFile(suffix=".csv") as file:
            copy = (
                f"copy (select * from {quoted(schema)}.{quoted(table)}) to stdout (format csv, force_quote *)"
            )
            self._copy(copy, file)
            file.flush()
            read_copied_csv(into, Path(file.name), columns, relation)

    def write_csv(self, query: str, path: Path) -> None:
        with path.open("w") as file:
            self._copy(f"copy ({query}) to stdout (format csv, header)", file)

    def _copy(self, statement: str, file: IO) -> None:
        with self.connection.cursor() as cursor:
            try:
                cursor.copy_expert(statement, file)
            except psycopg2.Error as error:
                raise WarehouseError(str(error).strip()) from error


def _server(settings: Settings) -> PostgresServer:
    assert settings.postgres, "the target is postgres"
    return settings.postgres


@contextmanager
def connect(
    settings: Settings, domain: str | None, *, wait_seconds: float, max_memory: str | None
) -> Iterator[PostgresWarehouse]:
    """Connect, and wait for another run of the domain. `max_memory` is unused: the server does the work."""
    with _connected(_server(settings), domain) as connection:
        if domain is not None:
            lock(connection, _server(settings), domain, wait_seconds)
            end_leftovers(connection, domain)
        yield PostgresWarehouse(connection, _server(settings), domain)


@contextmanager
def read_connection(settings: Settings) -> Iterator[PostgresWarehouse]:
    """Connect; readers never wait."""
    with _connected(_server(settings), None) as connection:
        connection.set_session(readonly=True)
        yield PostgresWarehouse(connection, _server(settings))


def warehouse_exists(settings: Settings) -> bool:
    """Return True: if the database is missing, connecting fails with an error."""
    return True


@contextmanager
def domain_lock(settings: Settings, domain: str) -> Iterator[None]:
    with _connected(_server(settings), f"{domain} build") as connection:
        lock(connection, _server(settings), domain, WAIT_SECONDS)
        yield


@contextmanager
def temporary_warehouse(settings: Settings, name: str) -> Iterator[Settings]:
    """Create a database on the same server, and drop it when the block ends."""
    database = f"{_server(settings).database[: MAX_NAME_LENGTH - len(name) - 1]}_{name}"
    with _connected(_server(settings), None) as connection:
        warehouse = PostgresWarehouse(connection, _server(settings))
        try:
            warehouse.execute(f"drop database if exists {quoted(database)} with (force)")
            warehouse.execute(f"create database {quoted(database)} template template0")
        except WarehouseError as error:
            raise WarehouseUnavailableError(
                f"{settings.postgres} creates no database {database}: {error} (allow it with: alter role … createdb)"
            ) from error
        try:
            own = _server(settings).model_copy(update={"database": database})
            yield settings.model_copy(update={"postgres": own})
        finally:
            warehouse.execute(f"drop database if exists {quoted(database)} with (force)")


@contextmanager
def _connected(server: PostgresServer, domain: str | None) -> Iterator["psycopg2.extensions.connection"]:
    try:
        connection = psycopg2.connect(
            host=server.host,
            port=server.port,
            dbname=server.database,
            user=server.user,
            password=server.password.get_secret_value(),
            connect_timeout=CONNECT_SECONDS,
            application_name=f"sluice {domain}" if domain else "sluice",
            # The server notices within a minute that a client has disappeared.
            keepalives_idle=30,
            keepalives_interval=10,
            keepalives_count=3,
            options="-c timezone=UTC -c datestyle=ISO -c extra_float_digits=1",
        )
    except psycopg2.OperationalError as error:
        message = str(error).strip().splitlines()[0]
        raise WarehouseUnavailableError(f"the warehouse {server} cannot be reached: {message}") from None
    connection.autocommit = True
    try:
        yield connection
    finally:
        connection.close()


def _with_placeholders(sql: str) -> str:
    return PARAMETER.sub(lambda found: f"%({found[1]})s" if found[1] else "%s", sql.replace("%", "%%"))
