"""Queries on published marts, in DuckDB's SQL and with the tables in the schema `marts`, for all engines."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from publishing.marts import SCHEMA
from settings import Settings
from warehouse import Warehouse, quoted, read_connection
from warehouse.sql import literal

TABLE = re.compile(rf"\b{SCHEMA}\.\"?(\w+)")
PREFIX = "published_"
Identity = tuple[int, ...]


class NotPublishedError(LookupError):
    """Nothing of the domain is published; the message says what is missing."""


class Reader:
    """The version that was active when the reader was opened, even if another one is published meanwhile.

    Attributes:
        published_at: when it was made, in UTC, to the second.
        bytes: its size.
        identity: what tells it from every other version, as `active_identity`.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, published_at: datetime, size: int, identity: Identity
    ) -> None:
        self._connection = connection
        self.published_at = published_at.replace(microsecond=0)
        self.bytes = size
        self.identity = identity

    def execute(
        self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None
    ) -> duckdb.DuckDBPyConnection:
        self._prepare(sql)
        return self._connection.execute(sql, parameters)

    def sql(self, query: str) -> duckdb.DuckDBPyRelation:
        """Return a query as a relation."""
        self._prepare(query)
        return self._connection.sql(query)

    def tables(self) -> list[str]:
        """Return the names of the published tables."""
        found = self._connection.execute(
            f"select table_name from information_schema.tables where table_schema = '{SCHEMA}' order by table_name"
        )
        return [name for (name,) in found.fetchall()]

    def rows(self) -> int:
        """Return the number of rows of all published tables."""
        counts = [f"select count(*) as rows from {SCHEMA}.{quoted(name)}" for name in self.tables()]
        query = (
            f"select coalesce(sum(rows), 0)::bigint from ({' union all '.join(counts)})"
            if counts
            else "select 0"
        )
        ((rows,),) = self._connection.execute(query).fetchall()
        return rows

    def _prepare(self, sql: str) -> None:
        """Make the tables that a query reads available."""


class SchemaReader(Reader):
    """A published schema of a server: a table is copied into DuckDB when a query names it."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        version: Mapping[str, Any],
        warehouse: Warehouse,
        oid: int,
    ) -> None:
        super().__init__(connection, datetime.fromisoformat(version["made_at"]), version["bytes"], (oid,))
        self._warehouse = warehouse
        self._oid = oid
        self._rows = {name: table["rows"] for name, table in version["tables"].items()}
        self._copied: set[str] = set()
        connection.execute(f"create schema {SCHEMA}")

    def tables(self) -> list[str]:
        return sorted(self._rows)

    def rows(self) -> int:
        return sum(self._rows.values())

    def _prepare(self, sql: str) -> None:
        for name in sorted({*TABLE.findall(sql)} & self._rows.keys() - self._copied):
            relation = f"{SCHEMA}.{quoted(name)}"
            # A publication may rename the schema at any moment; its oid stays the same.
            while True:
                schema = self._schema()
                self._warehouse.copy_table_to(schema, name, self._connection, relation)
                if self._schema() == schema:
                    break
                self._connection.execute(f"drop table {relation}")
            self._copied.add(name)

    def _schema(self) -> str:
        found = self._warehouse.execute(
            "select nspname from pg_namespace where oid = ?", [self._oid]
        ).fetchone()
        if not found:
            raise NotPublishedError("the version that was being read has been removed; read again")
        return found[0]


def open_published(domain: str, settings: Settings) -> AbstractContextManager[Reader]:
    """Open the active version of a domain.

    Raises:
        NotPublishedError: nothing is published.
    """
    return _schema(domain, settings) if settings.postgres else _file(domain, settings)


def active_identity(domain: str, settings: Settings) -> Identity:
    """Return what tells the active version from every other one, without opening it.

    Raises:
        NotPublishedError: nothing is published.
    """
    if not settings.postgres:
        return _identity(_stat(settings.published(domain), domain))
    with read_connection(settings) as warehouse:
        oid, _ = _active_schema(domain, warehouse)
        return (oid,)


def published_at(domain: str, settings: Settings) -> datetime | None:
    """Return when a domain was published last, in UTC; None if it never was."""
    if not settings.postgres:
        path = settings.published(domain)
        return datetime.fromtimestamp(path.stat().st_mtime, UTC) if path.exists() else None
    try:
        with open_published(domain, settings) as published:
            return published.published_at
    except NotPublishedError:
        return None


def published_names(settings: Settings) -> list[str]:
    """Return the domains that have published something, the platform's own included."""
    if not settings.postgres:
        return sorted(path.stem for path in settings.published("any").parent.glob("[!.]*.duckdb"))
    with read_connection(settings) as warehouse:
        if not warehouse.columns("publishing", "versions"):
            return []
        found = warehouse.execute(
            "select distinct domain from publishing.versions order by domain"
        ).fetchall()
    return [domain for (domain,) in found]


@contextmanager
def _file(domain: str, settings: Settings) -> Iterator[Reader]:
    path = settings.published(domain)
    # Attached rather than connected to: two connections of a process to one path share one database, and so would read
    # the file that the first of them opened, even if another one has replaced it.
    with duckdb.connect(config={"memory_limit": settings.memory_limit}) as connection:
        while True:
            found = _stat(path, domain)
            connection.execute(f"attach {literal(path)} as published (read_only)")
            # Otherwise it may have been replaced before it was opened.
            if _identity(found) == _identity(_stat(path, domain)):
                break
            connection.execute("detach published")
        connection.execute("use published")
        at = datetime.fromtimestamp(found.st_mtime, UTC)
        yield Reader(connection, at, found.st_size, _identity(found))


def _stat(path: Path, domain: str) -> os.stat_result:
    try:
        return path.stat()
    except FileNotFoundError as error:
        raise NotPublishedError(f"{path} does not exist: {domain} has not been published") from error


def _identity(found: os.stat_result) -> Identity:
    # A version file is a hard link to the published one, and never changes; one that somebody changed by hand does.
    return found.st_ino, found.st_mtime_ns, found.st_size


@contextmanager
def _schema(domain: str, settings: Settings) -> Iterator[Reader]:
    with (
        read_connection(settings) as warehouse,
        duckdb.connect(config={"memory_limit": settings.memory_limit}) as connection,
    ):
        oid, version = _active_schema(domain, warehouse)
        yield SchemaReader(connection, version, warehouse, oid)


def _active_schema(domain: str, warehouse: Warehouse) -> tuple[int, Mapping[str, Any]]:
    """Return the oid of the active version's schema, and what is known of the version."""
    found = None
    if warehouse.columns("publishing", "versions"):
        found = warehouse.execute(
            "select pg_namespace.oid, facts from pg_namespace join publishing.versions"
            " on domain = ? and version = obj_description(pg_namespace.oid, 'pg_namespace') where nspname = ?",
            [domain, f"{PREFIX}{domain}"],
        ).fetchone()
    if not found:
        raise NotPublishedError(
            f"the schema {PREFIX}{domain} does not exist: {domain} has not been published"
        )
    oid, version = found
    return oid, version
