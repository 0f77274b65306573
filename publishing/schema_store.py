"""Versions as schemas of a PostgreSQL database.

    published_<domain>               what readers see: the active version, and its views per month
    published_<domain>_v<moment>     the other versions
    publishing_<domain>              the candidate
    publishing.versions, .history    facts and statistics of each version, and the history
    publishing.lineage               from which columns each column of a version comes

The comment of a schema is the name of its version. Schemas are renamed in one transaction, together with the record,
so a killed process leaves everything as it was or everything done.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from publishing.errors import PublishError
from publishing.marts import Mart
from publishing.schema_tables import copy_tables, grant_readers, without_readers
from publishing.store import Store
from publishing.table_stats import Table, TableStats, count_partitions, describe_tables, verify_written
from publishing.versions import HISTORY, Version, VersionError, now, user
from settings import Settings
from warehouse import WarehouseBusyError, connect, quoted
from warehouse.postgres import PostgresWarehouse

# Not jsonb, which does not keep the order of columns.
INDEX = """
select pg_advisory_xact_lock(hashtext('sluice'), hashtext('publishing'));
create schema if not exists publishing;
create table if not exists publishing.versions (
    domain text not null, version text not null, facts json not null, primary key (domain, version)
);
create table if not exists publishing.lineage (
    domain text not null, version text not null, lineage text not null, primary key (domain, version),
    foreign key (domain, version) references publishing.versions on delete cascade
);
create table if not exists publishing.history (
    domain text not null, at timestamptz not null, by text not null, what text not null, version text not null
);
"""


class SchemaStore(Store):
    """The versions of a domain in a database."""

    location: str

    def __init__(self, domain: str, settings: Settings) -> None:
        self.domain = domain
        self.location = f"published_{domain}"
        self._candidate = f"publishing_{domain}"
        self._settings = settings

    def versions(self) -> list[Version]:
        found = self._select("facts", "versions", "version")
        return [Version.from_dict(facts) for (facts,) in found]

    def history(self) -> list[dict[str, str]]:
        return [
            {"at": at.isoformat(timespec="seconds"), "by": by, "what": what, "version": version}
            for at, by, what, version in self._select("at, by, what, version", "history", "at")[-HISTORY:]
        ]

    def active(self) -> Version | None:
        with self._connect() as warehouse:
            name = self._schemas(warehouse).get(self.location)
        return next((each for each in self.versions() if each.name == name), None)

    def query(self, version: Version, sql: str) -> list[tuple[Any, ...]]:
        with self._connect() as warehouse:
            schema = self._schema_of(warehouse, version)
            if schema is None:
                raise VersionError(f"the schema of version {version.name} of {self.domain} is missing")
            return warehouse.execute(sql.format(marts=quoted(schema))).fetchall()

    @contextmanager
    def lock(self) -> Iterator[None]:
        try:
            with self._connect(f"{self.domain} versions") as warehouse:
                self._clean_up(warehouse)
                try:
                    yield
                finally:
                    self._drop(warehouse, self._candidate)
        except WarehouseBusyError as error:
            raise PublishError(f"another process changes the versions of {self.domain}: {error}") from error

    def current_stats(self, marts: Mapping[str, Mart] = MappingProxyType({})) -> Version | None:
        """Return the active version; raise `PublishError` if the schema was not published here."""
        active = self.active()
        with self._connect() as warehouse:
            if active is None and warehouse.tables(self.location):
                raise PublishError(
                    f"the schema {self.location} was not published by this project. To publish without a"
                    f" comparison, rename it: alter schema {self.location} rename to …"
                )
        return active

    def write(
        self,
        warehouse: PostgresWarehouse,
        tables: Mapping[str, Table],
        stats: Mapping[str, TableStats],
        old: Version | None,
    ) -> dict[str, Any]:
        """Copy the tables into a schema, inside the server."""
        copy_tables(warehouse, tables, self._candidate)
        found = describe_tables(warehouse, [table.mart for table in tables.values()], self._candidate)
        for name, table in found.items():
            verify_written(warehouse, table, stats[name], list(stats[name].partitions))
        ((size,),) = warehouse.execute(
            "select coalesce(sum(pg_total_relation_size(oid)), 0)::bigint from pg_class"
            " where relnamespace = to_regnamespace(?) and relkind = 'r'",
            [quoted(self._candidate)],
        ).fetchall()
        return {"postgres": warehouse.connection.server_version, "bytes": size}

    def lineage(self, name: str) -> str | None:
        found = dict(self._select("version, lineage", "lineage", "version"))
        return found.get(name)

    def publish(self, version: Version, manifest: Path, lineage: str | None = None) -> None:
        def change(warehouse: PostgresWarehouse) -> None:
            warehouse.execute(
                "insert into publishing.versions values (?, ?, ?)",
                [self.domain, version.name, json.dumps(version.to_dict())],
            )
            if lineage:
                warehouse.execute(
                    "insert into publishing.lineage values (?, ?, ?)", [self.domain, version.name, lineage]
                )
            # A comment takes no parameter; a version's name has neither quotes nor backslashes.
            warehouse.execute(f"comment on schema {quoted(self._candidate)} is '{version.name}'")
            grant_readers(warehouse, self.location, self._candidate)
            self._swap(warehouse, self._candidate)

        self._change(version.name, "publish", change)

    def activate(self, name: str, what: str) -> None:
        self._change(name, what, lambda warehouse: self._swap(warehouse, self._kept(name)))

    def verify(self, version: Version) -> None:
        """Raise `VersionError` unless the version's tables have the columns and numbers of rows that were published."""
        with self._connect() as warehouse:
            schema = self._schema_of(warehouse, version)
            marts = [
                Mart(name, partition_by_column=stats.partition_by_column)
                for name, stats in version.tables.items()
            ]
            try:
                found = describe_tables(warehouse, marts, schema) if schema else {}
            except PublishError:
                found = {}
            for name, stats in version.tables.items():
                rows = {key: each.rows for key, each in stats.partitions.items()}
                table = found.get(name)
                if (
                    not table
                    or dict(table.columns) != dict(stats.columns)
                    or count_partitions(warehouse, table) != rows
                ):
                    raise VersionError(
                        f"{schema or 'the schema'} is not what was published as {version.name}: {name} differs"
                    )

    def _remove(self, names: Collection[str]) -> None:
        with self._connect() as warehouse:
            warehouse.execute(
                "delete from publishing.versions where domain = ? and version = any(?)",
                [self.domain, list(names)],
            )
            self._clean_up(warehouse)

    def _connect(self, domain: str | None = None) -> AbstractContextManager[PostgresWarehouse]:
        return cast(AbstractContextManager[PostgresWarehouse], connect(self._settings, domain))

    def _select(self, columns: str, table: str, order_by: str) -> list[tuple[Any, ...]]:
        """Return this domain's rows of a table of the record; none before the first publication."""
        with self._connect() as warehouse:
            if not warehouse.columns("publishing", table):
                return []
            return warehouse.execute(
                f"select {columns} from publishing.{table} where domain = ? order by {order_by}",
                [self.domain],
            ).fetchall()

    def _change(self, name: str, what: str, change: Callable[[PostgresWarehouse], None]) -> None:
        """Change what readers see, and add a line to the history, in one transaction."""
        with self._connect() as warehouse, without_readers(warehouse, self.location):
            change(warehouse)
            warehouse.execute(
                "insert into publishing.history values (?, ?, ?, ?, ?)",
                [self.domain, now(), user(), what, name],
            )

    def _swap(self, warehouse: PostgresWarehouse, schema: str) -> None:
        active = self._schemas(warehouse).get(self.location)
        if active:
            warehouse.execute(f"alter schema {quoted(self.location)} rename to {quoted(self._kept(active))}")
        warehouse.execute(f"alter schema {quoted(schema)} rename to {quoted(self.location)}")

    def _kept(self, version: str) -> str:
        """Return the schema of a version that is not active: by its moment, as a name has 63 bytes at most."""
        return f"{self.location}_v{version.partition('_')[0].lower()}"

    def _schemas(self, warehouse: PostgresWarehouse) -> dict[str, str]:
        """Return the schemas of versions with the names of the versions."""
        found = warehouse.execute(
            "select nspname, obj_description(oid, 'pg_namespace') from pg_namespace"
            " where nspname = ? or starts_with(nspname, ?)",
            [self.location, f"{self.location}_v2"],
        )
        return {schema: version for schema, version in found.fetchall() if version}

    def _schema_of(self, warehouse: PostgresWarehouse, version: Version) -> str | None:
        schemas = self._schemas(warehouse)
        return next((schema for schema, name in schemas.items() if name == version.name), None)

    def _clean_up(self, warehouse: PostgresWarehouse) -> None:
        """Remove what a killed process left: a candidate, and schemas of versions that are not recorded."""
        warehouse.execute(INDEX)
        self._drop(warehouse, self._candidate)
        versions = {each.name for each in self.versions()}
        for schema, version in self._schemas(warehouse).items():
            if schema != self.location and version not in versions:
                self._drop(warehouse, schema)

    def _drop(self, warehouse: PostgresWarehouse, schema: str) -> None:
        warehouse.execute(f"drop schema if exists {quoted(schema)} cascade")
