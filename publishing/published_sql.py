"""Queries over everything that is published, in which each domain is a schema; they can read nothing else."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer

import duckdb

from publishing.marts import SCHEMA
from publishing.readers import open_published, published_names
from settings import Settings
from warehouse import quoted
from warehouse.sql import literal

SECONDS = 60.0
# A query reads; whatever a statement wrote would be lost with the connection.
READING = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)


class QueryError(ValueError):
    """A query was refused or failed; the message says why."""


@contextmanager
def run_query(sql: str, settings: Settings, *, seconds: float = SECONDS) -> Iterator[duckdb.DuckDBPyRelation]:
    """Yield the result of one SELECT on the active versions, such as `select count(*) from ecommerce.fct_orders`.

    Args:
        sql: DuckDB's SQL; a table is `<domain>.<table>`.
        settings: data folder and environment; `SLUICE_MEMORY_LIMIT` limits the memory.
        seconds: the time until the query is interrupted.

    Raises:
        QueryError: it is no single SELECT, reads something else, is wrong, too big, or takes too long; also when the
            result is fetched within the block.
    """
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": settings.memory_limit,
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    with duckdb.connect(config=config) as connection:
        timer = Timer(seconds, connection.interrupt)
        try:
            _check(connection, sql)
            _add_published(connection, sql, settings)
            # From here on, no file, extension or setting is within reach.
            connection.execute("set enable_external_access = false")
            connection.execute("set lock_configuration = true")
            timer.start()
            yield connection.sql(sql)
        except duckdb.InterruptException as error:
            raise QueryError(f"the query took more than {seconds:g} seconds and was interrupted") from error
        except duckdb.PermissionException as error:
            raise QueryError(f"a query reads published tables only: {_first_line(error)}") from error
        except duckdb.Error as error:
            raise QueryError(str(error)) from error
        finally:
            timer.cancel()


def _check(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    statements = connection.extract_statements(sql)
    if len(statements) != 1 or statements[0].type not in READING:
        raise QueryError("a query is one SELECT; published data is read-only")


def _add_published(connection: duckdb.DuckDBPyConnection, sql: str, settings: Settings) -> None:
    """Create a schema for each domain, with its tables as views; from a server, those that the query names are copied."""
    for domain in published_names(settings):
        schema = quoted(domain)
        connection.execute(f"create schema {schema}")
        if not settings.postgres:
            database = quoted(f"_{domain}")
            connection.execute(f"attach {literal(settings.published(domain))} as {database} (read_only)")
            tables = connection.execute(
                "select table_name from duckdb_tables() where database_name = ? and schema_name = ? union all"
                " select view_name from duckdb_views() where database_name = ? and schema_name = ?",
                [f"_{domain}", SCHEMA] * 2,
            )
            for (table,) in tables.fetchall():
                name = quoted(table)
                connection.execute(f"create view {schema}.{name} as from {database}.{SCHEMA}.{name}")
        elif named := set(re.findall(rf'\b{domain}"?\."?(\w+)', sql)):
            with open_published(domain, settings) as published:
                for table in sorted(named & set(published.tables())):
                    rows = published.sql(f"from {SCHEMA}.{quoted(table)}").to_arrow_table()
                    connection.register("rows", rows)
                    connection.execute(f"create table {schema}.{quoted(table)} as from rows")
                    connection.unregister("rows")


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
