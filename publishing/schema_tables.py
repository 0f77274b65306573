"""Copies of marts in another schema of the same PostgreSQL database, and their readers."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from publishing.marts import MONTH_VIEWS_SCHEMA, SCHEMA
from publishing.table_stats import Table
from warehouse import WarehouseError, quoted
from warehouse.postgres import PostgresWarehouse

# How long to wait for a moment in which no statement reads the schema, before schemas are renamed all the same.
WAIT_FOR_READERS_SECONDS = 30.0
POLL_SECONDS = 0.05


def copy_tables(warehouse: PostgresWarehouse, tables: Mapping[str, Table], schema: str) -> None:
    """Create a schema with copies of these tables and of their views per month."""
    warehouse.execute(f"create schema {quoted(schema)}")
    for name, table in tables.items():
        copy = f"{quoted(schema)}.{quoted(name)}"
        warehouse.execute(f"create table {copy} as table {table.relation}")
        warehouse.execute(f"analyze {copy}")
    _copy_month_views(warehouse, tables, schema)


def grant_readers(warehouse: PostgresWarehouse, old: str, new: str) -> None:
    """Grant the right to read a schema to all who may read another one."""
    found = warehouse.execute(
        # Grantee 0 is everybody.
        "select distinct case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end"
        " from pg_namespace, aclexplode(nspacl)"
        " where nspname = ? and privilege_type = 'USAGE' and grantee <> nspowner",
        [old],
    )
    for (reader,) in found.fetchall():
        warehouse.execute(f"grant usage on schema {quoted(new)} to {reader}")
        warehouse.execute(f"grant select on all tables in schema {quoted(new)} to {reader}")


@contextmanager
def without_readers(warehouse: PostgresWarehouse, schema: str) -> Iterator[None]:
    """Run the block in one transaction, at a moment in which no statement reads the schema.

    A statement resolves its tables one after the other. If the schema were renamed in between, it would read two
    versions. Readers never wait for this function, and after a while it goes on in spite of them.
    """
    deadline = time.monotonic() + WAIT_FOR_READERS_SECONDS
    while True:
        warehouse.execute("begin")
        tables = [f"{quoted(schema)}.{quoted(each)}" for each in warehouse.tables(schema)]
        try:
            if tables and time.monotonic() < deadline:
                warehouse.execute(f"lock table {', '.join(tables)} in access exclusive mode nowait")
            break
        except WarehouseError:
            warehouse.execute("rollback")
            time.sleep(POLL_SECONDS)
    try:
        yield
        warehouse.execute("commit")
    except BaseException:
        warehouse.execute("rollback")
        raise


def _copy_month_views(warehouse: PostgresWarehouse, tables: Mapping[str, Table], schema: str) -> None:
    named = [name for name, table in tables.items() if table.mart.month_views]
    # With this path, the text of a view names its table without the schema.
    warehouse.execute(f"set search_path = {SCHEMA}")
    try:
        views = warehouse.execute(
            "select distinct view_name, pg_get_viewdef(format('%I.%I', view_schema, view_name)::regclass)"
            " from information_schema.view_table_usage"
            " where view_schema = ? and table_schema = ? and table_name = any(?::text[])",
            [MONTH_VIEWS_SCHEMA, SCHEMA, named],
        ).fetchall()
        warehouse.execute(f"set search_path = {quoted(schema)}")
        for name, sql in views:
            warehouse.execute(f"create view {quoted(schema)}.{quoted(name)} as {sql}")
    finally:
        warehouse.execute("reset search_path")
