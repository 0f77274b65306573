"""Tables of SQL databases as rows to extract, by dlt's `sql_database`."""

import os
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from common.text import first_line, root_cause
from ingestion.row_source import Rows, RowSource

CHUNK_ROWS = 10_000


class DatabaseError(RuntimeError):
    """A table cannot be read; the message does not have the password."""


def database_table(variable: str, table: str, *, schema: str | None = None, cursor: str = "") -> RowSource:
    """Declare a table of a database as the source of a resource.

    Args:
        variable: the environment variable with the database's URL, such as `postgresql://user:password@host/name` or
            `sqlite:////folder/file.db`; SQLAlchemy's driver must be installed.
        table: the table or view.
        schema: its schema, if it is not the usual one.
        cursor: a column that grows with each change, such as `updated_at`; without one every extraction reads all rows.
    """
    return RowSource(_reader(variable, table, schema, cursor), cursor)


def _reader(variable: str, table: str, schema: str | None, cursor: str) -> Callable[[str | None], Rows]:
    def read(since: str | None) -> Rows:
        url = os.environ.get(variable)
        if not url:
            raise DatabaseError(f"{variable} is not set: the URL of the database")
        try:
            yield from _rows(url, table, schema, cursor, since)
        except Exception as error:
            raise DatabaseError(_without_password(error, url)) from None

    return read


def _rows(url: str, table: str, schema: str | None, cursor: str, since: str | None) -> Rows:
    # dlt and SQLAlchemy are slow to import.
    from dlt.sources.sql_database import sql_table
    from sqlalchemy import create_engine, or_
    from sqlalchemy.engine import make_url

    def changed(query: Any, source: Any) -> Any:
        column = source.c[cursor] if cursor else None
        if column is None:
            return query
        if since is not None:
            # A row without a cursor would be lost in silence; the extraction refuses it.
            query = query.where(or_(column >= _value(since, column), column.is_(None)))
        return query.order_by(column)

    address = make_url(url)
    if address.drivername == "postgresql":
        # SQLAlchemy's usual driver is another one than dbt's, which is installed.
        address = address.set(drivername="postgresql+psycopg2")
    engine = create_engine(address)
    try:
        yield from sql_table(
            credentials=engine,
            table=table,
            schema=schema,
            chunk_size=CHUNK_ROWS,
            backend="sqlalchemy",
            query_adapter_callback=changed,
        )
    finally:
        # Its pool would keep a connection to the database.
        engine.dispose()


def _value(text: str, column: Any) -> Any:
    """Return a cursor's text as a value of its column's type."""
    kind = column.type.python_type
    if issubclass(kind, datetime | date):
        return kind.fromisoformat(text)
    return text if issubclass(kind, str) else kind(text)


def _without_password(error: Exception, url: str) -> str:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    said = first_line(root_cause(error))
    try:
        password = make_url(url).password
    except (ArgumentError, ValueError):
        return "its URL is not one that SQLAlchemy can read"
    return said.replace(url, "the database").replace(str(password), "…") if password else said
