"""Questions to what is published, in DuckDB's SQL and with the tables in the schema `marts`, whatever the engine."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any, Protocol

import duckdb

from publishing.marts import SCHEMA
from settings import Settings
from warehouse import quoted, reading

READ = re.compile(rf"\b{SCHEMA}\.\"?(\w+)")
PREFIX = "published_"


class NotPublishedError(LookupError):
    """Nothing of the domain is published; the message says what is missing."""


class Reader(Protocol):
    """The version that readers see, open; another one that is published meanwhile is not seen.

    Attributes:
        published_at: when it was made, in UTC, to the second.
        bytes: its size.
    """

    published_at: datetime
    bytes: int

    def execute(
        self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None
    ) -> duckdb.DuckDBPyConnection:
        """Run a query."""

    def sql(self, query: str) -> duckdb.DuckDBPyRelation:
        """A query as a relation."""

    def tables(self) -> list[str]:
        """Names of the published tables."""

    def rows(self) -> int:
        """Rows of all published tables."""


def open_published(domain: str, settings: Settings) -> AbstractContextManager[Reader]:
    """Open what readers see of a domain.

    Raises:
        NotPublishedError: there is nothing.
    """
    return _schema(domain, settings) if settings.postgres else _file(domain, settings)


def published_at(domain: str, settings: Settings) -> datetime | None:
    """When a domain was published last, UTC; None if it never was."""
    if not settings.postgres:
        path = settings.published(domain)
        return datetime.fromtimestamp(path.stat().st_mtime, UTC) if path.exists() else None
    try:
        with open_published(domain, settings) as published:
            return published.published_at
    except NotPublishedError:
        return None


def published_names(settings: Settings) -> list[str]:
    """Of which domains, the platform's own included, something is published."""
    if not settings.postgres:
        return sorted(path.stem for path in settings.published("any").parent.glob("[!.]*.duckdb"))
    with reading(settings) as warehouse:
        if not warehouse.columns("publishing", "versions"):
            return []
        found = warehouse.execute(
            "select distinct domain from publishing.versions order by domain"
        ).fetchall()
    return [domain for (domain,) in found]


class FileReader:
    """A published file; see `Reader`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, size: int, made_at: float) -> None:
        self._connection = connection
        self.bytes = size
        self.published_at = datetime.fromtimestamp(int(made_at), UTC)

    def execute(
        self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None
    ) -> duckdb.DuckDBPyConnection:
        """Run a query."""
        return self._connection.execute(sql, parameters)

    def sql(self, query: str) -> duckdb.DuckDBPyRelation:
        """A query as a relation."""
        return self._connection.sql(query)

    def tables(self) -> list[str]:
        """Names of the published tables."""
        found = self._connection.execute(
            f"select table_name from information_schema.tables where table_schema = '{SCHEMA}' order by table_name"
        )
        return [name for (name,) in found.fetchall()]

    def rows(self) -> int:
        """Rows of all published tables."""
        return sum(
            self._connection.execute(f"select count(*) from {SCHEMA}.{quoted(name)}").fetchone()[0]
            for name in self.tables()
        )


class SchemaReader:
    """A published schema of a server; a table is copied into a DuckDB of our own when a query names it."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, version: Mapping[str, Any], warehouse: Any, oid: int
    ) -> None:
        self._connection = connection
        self._warehouse = warehouse
        self._oid = oid
        self._rows = {name: table["rows"] for name, table in version["tables"].items()}
        self._there: set[str] = set()
        self.bytes = version["bytes"]
        self.published_at = datetime.fromisoformat(version["made_at"]).replace(microsecond=0)
        connection.execute(f"create schema {SCHEMA}")

    def execute(
        self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None
    ) -> duckdb.DuckDBPyConnection:
        """Run a query."""
        self._bring(sql)
        return self._connection.execute(sql, parameters)

    def sql(self, query: str) -> duckdb.DuckDBPyRelation:
        """A query as a relation."""
        self._bring(query)
        return self._connection.sql(query)

    def tables(self) -> list[str]:
        """Names of the published tables."""
        return sorted(self._rows)

    def rows(self) -> int:
        """Rows of all published tables."""
        return sum(self._rows.values())

    def _bring(self, sql: str) -> None:
        for name in sorted({*READ.findall(sql)} & self._rows.keys() - self._there):
            relation = f"{SCHEMA}.{quoted(name)}"
            # The version keeps its number, whatever its schema is called meanwhile.
            while True:
                schema = self._schema()
                self._warehouse.copy_table_to(schema, name, self._connection, relation)
                if self._schema() == schema:
                    break
                self._connection.execute(f"drop table {relation}")
            self._there.add(name)

    def _schema(self) -> str:
        found = self._warehouse.execute(
            "select nspname from pg_namespace where oid = ?", [self._oid]
        ).fetchone()
        if not found:
            raise NotPublishedError("the version that was being read has been removed; read again")
        return found[0]


@contextmanager
def _file(domain: str, settings: Settings) -> Iterator[FileReader]:
    path = settings.published(domain)
    if not path.exists():
        raise NotPublishedError(f"{path} is not there: nothing of {domain} has been published")
    seen = path.stat()
    limit = {"memory_limit": settings.memory_limit}
    with duckdb.connect(str(path), read_only=True, config=limit) as connection:
        yield FileReader(connection, seen.st_size, seen.st_mtime)


@contextmanager
def _schema(domain: str, settings: Settings) -> Iterator[SchemaReader]:
    limit = {"memory_limit": settings.memory_limit}
    with reading(settings) as warehouse, duckdb.connect(config=limit) as connection:
        found = None
        if warehouse.columns("publishing", "versions"):
            found = warehouse.execute(
                "select pg_namespace.oid, facts from pg_namespace join publishing.versions"
                " on domain = ? and version = obj_description(pg_namespace.oid, 'pg_namespace') where nspname = ?",
                [domain, f"{PREFIX}{domain}"],
            ).fetchone()
        if not found:
            raise NotPublishedError(
                f"the schema {PREFIX}{domain} is not there: nothing of {domain} has been published"
            )
        oid, version = found
        yield SchemaReader(connection, version, warehouse, oid)
