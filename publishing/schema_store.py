"""Published marts as schemas of a PostgreSQL database.

    published_<domain>               what readers see: the version in use, and its views of months
    published_<domain>_v<moment>     the versions that are kept
    publishing_<domain>              a version in the making
    publishing.versions, .history    what is known of each, and who asked for what

A version keeps its name as the comment of its schema. Schemas change their names in one transaction, together with
what is known of them, so that a killed process leaves all as it was or all done.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from publishing.errors import PublishError
from publishing.marts import Mart
from publishing.schema_tables import copy_tables, let_read, unread
from publishing.table_stats import Table, TableStats, count_partitions, look, verify
from publishing.versions import HISTORY, Version, VersionError, named, now, user
from settings import Settings
from warehouse import WAIT_SECONDS, WarehouseBusyError, connect, quoted
from warehouse.postgres import PostgresWarehouse

# Not jsonb, which forgets the order of columns.
INDEX = """
select pg_advisory_xact_lock(hashtext('sluice'), hashtext('publishing'));
create schema if not exists publishing;
create table if not exists publishing.versions (
    domain text not null, version text not null, facts json not null, primary key (domain, version)
);
create table if not exists publishing.history (
    domain text not null, at timestamptz not null, by text not null, what text not null, version text not null
);
"""


class SchemaStore:
    """The versions of a domain in a database; see `Store`."""

    def __init__(self, domain: str, settings: Settings) -> None:
        self.domain = domain
        self.where = f"published_{domain}"
        self._candidate = f"publishing_{domain}"
        self._settings = settings

    def all(self) -> list[Version]:
        """The versions, oldest first."""
        with connect(self._settings) as warehouse:
            if not warehouse.columns("publishing", "versions"):
                return []
            found = warehouse.execute(
                "select facts from publishing.versions where domain = ? order by version", [self.domain]
            ).fetchall()
        return [Version.from_dict(facts) for (facts,) in found]

    def history(self) -> list[dict[str, str]]:
        """Who asked for which version to be in use, and when; oldest first."""
        with connect(self._settings) as warehouse:
            if not warehouse.columns("publishing", "history"):
                return []
            found = warehouse.execute(
                "select at, by, what, version from publishing.history where domain = ? order by at",
                [self.domain],
            ).fetchall()
        return [
            {"at": at.isoformat(timespec="seconds"), "by": by, "what": what, "version": version}
            for at, by, what, version in found[-HISTORY:]
        ]

    def in_use(self) -> Version | None:
        """The version that readers see; None if there is none."""
        with connect(self._settings) as warehouse:
            name = self._versions_there(warehouse).get(self.where)
        return next((each for each in self.all() if each.name == name), None)

    def get(self, name: str) -> Version:
        """A version by its name, or by the beginning of it.

        Raises:
            VersionError: there is none, or more than one.
        """
        return named(name, self.domain, self.all())

    def rows(self, version: Version, query: str) -> list[tuple[Any, ...]]:
        """Rows of a query on a version."""
        with connect(self._settings) as warehouse:
            there = self._versions_there(warehouse)
            schema = next((schema for schema, name in there.items() if name == version.name), None)
            if schema is None:
                raise VersionError(f"{version.name} of {self.domain} has no schema any more")
            return warehouse.execute(query.format(marts=quoted(schema))).fetchall()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only process that changes anything here, until the block ends.

        Raises:
            PublishError: another process still had it after a while.
        """
        try:
            with connect(self._settings, f"{self.domain} versions", wait_seconds=WAIT_SECONDS) as warehouse:
                self._remove_leftovers(warehouse)
                yield
        except WarehouseBusyError as error:
            raise PublishError(f"the versions of {self.domain} are being changed: {error}") from error

    def known(self, marts: Mapping[str, Mart] = MappingProxyType({})) -> Version | None:
        """The version in use, with what is in it.

        Raises:
            PublishError: the schema that readers see is of somebody else.
        """
        used = self.in_use()
        with connect(self._settings) as warehouse:
            if used is None and warehouse.tables(self.where):
                raise PublishError(
                    f"the schema {self.where} is no version that was published here; "
                    "give it another name to publish without: alter schema … rename to …"
                )
        return used

    def begin(self, old: Version | None) -> None:
        """Nothing: tables are copied when it is known what they hold."""

    def write(
        self,
        warehouse: PostgresWarehouse,
        tables: Mapping[str, Table],
        profiles: Mapping[str, TableStats],
        base: Mapping[str, TableStats] | None,
    ) -> dict[str, Any]:
        """Copy the tables into a schema of their own, inside the server.

        Raises:
            PublishError: what was written is not what is in the warehouse.
        """
        copy_tables(warehouse, tables, self._candidate)
        found = look(warehouse, [table.mart for table in tables.values()], self._candidate)
        for name, table in found.items():
            verify(warehouse, table, profiles[name], list(profiles[name].partitions))
        ((size,),) = warehouse.execute(
            "select coalesce(sum(pg_total_relation_size(oid)), 0)::bigint from pg_class"
            " where relnamespace = to_regnamespace(?) and relkind = 'r'",
            [quoted(self._candidate)],
        ).fetchall()
        return {"postgres": warehouse.connection.server_version, "bytes": size}

    def publish(self, version: Version, manifest: Path) -> None:
        """Make the candidate a version, and let readers see it."""

        def change(warehouse: PostgresWarehouse) -> None:
            warehouse.execute(
                "insert into publishing.versions values (?, ?, ?)",
                [self.domain, version.name, json.dumps(version.to_dict())],
            )
            # A comment takes no parameter; a version's name has neither quotes nor backslashes.
            warehouse.execute(f"comment on schema {quoted(self._candidate)} is '{version.name}'")
            let_read(warehouse, self.where, self._candidate)
            self._swap(warehouse, self._candidate)

        self._change(version.name, "publish", change)

    def use(self, name: str, what: str) -> None:
        """Let readers see a version that is kept."""
        self._change(name, what, lambda warehouse: self._swap(warehouse, self._kept(name)))

    def check(self, version: Version) -> None:
        """See that a version has the tables and as many rows as were published.

        Raises:
            VersionError: it has not.
        """
        with connect(self._settings) as warehouse:
            there = self._versions_there(warehouse)
            schema = next((schema for schema, name in there.items() if name == version.name), None)
            try:
                found = look(warehouse, [Mart(name) for name in version.tables], schema) if schema else {}
            except PublishError:
                found = {}
            for name, profile in version.tables.items():
                table = found.get(name)
                if table:
                    table = replace(
                        table, mart=replace(table.mart, partition_by_column=profile.partition_by_column)
                    )
                rows = {key: each.rows for key, each in profile.partitions.items()}
                if (
                    not table
                    or dict(table.columns) != dict(profile.columns)
                    or count_partitions(warehouse, table) != rows
                ):
                    raise VersionError(
                        f"{schema or 'the schema'} is not what was published as {version.name}; {name} differs"
                    )

    def prune(self, keep: int) -> list[str]:
        """Remove all but the newest versions and the one in use; return their names."""
        versions, used = self.all(), self.in_use()
        kept = {each.name for each in versions[-keep:]} | ({used.name} if used else set())
        gone = [each.name for each in versions if each.name not in kept]
        with connect(self._settings) as warehouse:
            for name in gone:
                warehouse.execute(
                    "delete from publishing.versions where domain = ? and version = ?", [self.domain, name]
                )
            if gone:
                self._remove_leftovers(warehouse)
        return gone

    def remove_candidate(self) -> None:
        """Remove the schema of a version that did not come to be."""
        with connect(self._settings) as warehouse:
            self._drop(warehouse, self._candidate)

    def _change(self, name: str, what: str, change: Callable[[PostgresWarehouse], None]) -> None:
        """Change what readers see, and note who asked for it, in one transaction."""
        with connect(self._settings) as warehouse, unread(warehouse, self.where):
            change(warehouse)
            warehouse.execute(
                "insert into publishing.history values (?, ?, ?, ?, ?)",
                [self.domain, now(), user(), what, name],
            )

    def _swap(self, warehouse: PostgresWarehouse, schema: str) -> None:
        """Let a schema take the place of the one that readers see, which gets the name of a version that is kept."""
        used = self._versions_there(warehouse).get(self.where)
        if used:
            warehouse.execute(f"alter schema {quoted(self.where)} rename to {quoted(self._kept(used))}")
        warehouse.execute(f"alter schema {quoted(schema)} rename to {quoted(self.where)}")

    def _kept(self, version: str) -> str:
        """The schema of a version that is not in use: by its moment, as a name has 63 bytes at most."""
        return f"{self.where}_v{version.partition('_')[0].lower()}"

    def _versions_there(self, warehouse: PostgresWarehouse) -> dict[str, str]:
        """Versions by their schemas."""
        found = warehouse.execute(
            "select nspname, obj_description(oid, 'pg_namespace') from pg_namespace"
            " where nspname = ? or starts_with(nspname, ?)",
            [self.where, f"{self.where}_v2"],
        )
        return {schema: version for schema, version in found.fetchall() if version}

    def _remove_leftovers(self, warehouse: PostgresWarehouse) -> None:
        """Remove what a killed process left: a candidate, and schemas of versions that nobody knows any more."""
        warehouse.execute(INDEX)
        self._drop(warehouse, self._candidate)
        versions = {each.name for each in self.all()}
        for schema, version in self._versions_there(warehouse).items():
            if schema != self.where and version not in versions:
                self._drop(warehouse, schema)

    def _drop(self, warehouse: PostgresWarehouse, schema: str) -> None:
        warehouse.execute(f"drop schema if exists {quoted(schema)} cascade")
