"""Published marts of the lake: DuckDB files that hold views of the version's Parquet files, and no rows.

    <lake>/published/<domain>.duckdb, <domain>/<version>.duckdb, …    as in `publishing.versions`
    <lake>/published/<domain>/v<moment>/<table>/…                     the version's files, second names of the lake's
    published_<domain>_v<moment>                                      the version's tables, on the cluster
    published_<domain>                                                views of those in use, on the cluster

Spark's files are never changed, only made and removed, so a version keeps them by a second name and copies nothing.
What readers open here changes by one rename. On the cluster, where nothing changes several views at once, one view
follows the other; whoever has the lock next finishes what a killed process left half done.
"""

import hashlib
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from common.files import sync
from publishing.file_store import FileStore
from publishing.marts import SCHEMA
from publishing.table_stats import Table, TableStats, look, verify
from publishing.versions import Version, VersionError, digest, link_or_copy, now
from settings import Settings
from warehouse import quoted
from warehouse.duckdb_file import DuckDbWarehouse
from warehouse.spark import SparkWarehouse
from warehouse.spark_parquet import parquet_files, relation_of
from warehouse.spark_sql import SparkSql, backquoted, session

MONTHLY = "monthly"
# The property of the views' schema that names the version.
SHOWN = "sluice.version"


class SparkStore(FileStore):
    """The versions of a domain in the lake; see `Store`."""

    def __init__(self, domain: str, settings: Settings) -> None:
        super().__init__(domain, settings)
        self._server = settings.spark
        self._marts = settings.spark.lake / SCHEMA
        self._schema = f"published_{domain}"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only process that changes anything here, until the block ends; what a killed one left is finished."""
        with super().lock():
            self._tidy()
            yield

    def begin(self, old: Version | None) -> None:
        """Nothing: a version takes over the files as they are."""

    def write(
        self,
        warehouse: SparkWarehouse,
        tables: Mapping[str, Table],
        profiles: Mapping[str, TableStats],
        base: Mapping[str, TableStats] | None,
    ) -> dict[str, Any]:
        """Give the tables' files second names, and make views of them, here, and tables, on the cluster.

        Raises:
            PublishError: there are other rows in them than in the warehouse.
        """
        folder = self.versions.folder / f"v{now():%Y%m%dT%H%M%S%f}"
        for name in tables:
            _link_all(self._marts / name, folder / name)
        schema = self._schema_of(folder.name)
        spark = warehouse.spark
        spark.run(f"create schema {backquoted(schema)} location '{folder}'")
        for name in tables:
            table = f"{backquoted(schema)}.{backquoted(name)}"
            spark.run(
                f"create table {table} like {SCHEMA}.{backquoted(name)} using parquet location '{folder / name}'"
            )
            if any(path.parent != folder / name for path in parquet_files(folder / name)):
                spark.run(f"msck repair table {table}")
        months = _month_views(spark, tables)
        with duckdb.connect(str(self.versions.candidate)) as connection:
            connection.execute(f"create schema {SCHEMA}")
            for name in tables:
                rows = relation_of(connection, folder / name, spark.columns(SCHEMA, name))
                connection.execute(f"create view {SCHEMA}.{quoted(name)} as {rows}")
            if months:
                connection.execute(f"create schema {MONTHLY}")
            for view, query in months.items():
                connection.execute(f"create view {MONTHLY}.{quoted(view)} as {query}")
            written = DuckDbWarehouse(connection)
            for name, table in look(written, [table.mart for table in tables.values()]).items():
                verify(written, table, profiles[name], [])
        sync(self.versions.candidate)
        return {
            "duckdb": duckdb.__version__,
            "bytes": sum(path.stat().st_size for path in parquet_files(folder)),
            "digest": digest(self.versions.candidate),
            "folder": folder.name,
            "files": _digest(folder),
            "months": months,
        }

    def publish(self, version: Version, manifest: Path) -> None:
        """Make the candidate a version, and let readers see it."""
        super().publish(version, manifest)
        self._show(version)

    def use(self, name: str, what: str) -> None:
        """Let readers see a version."""
        super().use(name, what)
        self._show(self.get(name))

    def check(self, version: Version) -> None:
        """See that a version's files are those that were published.

        Raises:
            VersionError: they are not.
        """
        super().check(version)
        folder = self.versions.folder / version.facts["folder"]
        if _digest(folder) != version.facts["files"]:
            raise VersionError(f"{folder} does not hold what was published as {version.name}")

    def prune(self, keep: int) -> list[str]:
        """Remove all but the newest versions and the one in use; return their names."""
        gone = super().prune(keep)
        if gone:
            self._tidy()
        return gone

    def _schema_of(self, folder: str) -> str:
        return f"{self._schema}_{folder.lower()}"

    def _show(self, version: Version) -> None:
        """Let the cluster's views show a version; its name is a property of their schema when all of them do."""
        schema = backquoted(self._schema_of(version.facts["folder"]))
        views = {name: f"select * from {schema}.{backquoted(name)}" for name in version.tables}
        for view, query in version.facts["months"].items():
            views[view] = query.replace(f"{SCHEMA}.", f"{schema}.").replace('"', "`")
        with session(self._server) as spark:
            spark.run(f"create schema if not exists {backquoted(self._schema)}")
            for view, query in views.items():
                spark.run(f"create or replace view {backquoted(self._schema)}.{backquoted(view)} as {query}")
            for view in set(spark.tables(self._schema)) - views.keys():
                spark.run(f"drop view {backquoted(self._schema)}.{backquoted(view)}")
            spark.run(
                f"alter schema {backquoted(self._schema)} set dbproperties ('{SHOWN}' = '{version.name}')"
            )

    def _shown(self, spark: SparkSql) -> str | None:
        """The name of the version that the cluster's views show; None if there are none, or of several versions."""
        facts = dict(row[:2] for row in spark.run(f"describe schema extended {backquoted(self._schema)}"))
        found = re.search(rf"\({SHOWN},([^)]*)\)", facts.get("Properties", ""))
        return found[1] if found else None

    def _tidy(self) -> None:
        """Remove the files and tables of versions that nobody knows any more, and let views show the one in use."""
        used = self.in_use()
        known = {each.facts.get("folder") for each in self.all()}
        for folder in self.versions.folder.glob("v*T*"):
            if folder.is_dir() and folder.name not in known:
                shutil.rmtree(folder)
        with session(self._server) as spark:
            schemas = {schema for (schema,) in spark.run(f"show schemas like '{self._schema}*'")}
            for schema in schemas - {self._schema} - {self._schema_of(folder) for folder in known if folder}:
                if schema.startswith(f"{self._schema}_v2"):
                    spark.run(f"drop schema {backquoted(schema)} cascade")
            shown = self._shown(spark) if self._schema in schemas else None
        if used and used.facts.get("folder") and shown != used.name:
            self._show(used)


def _link_all(source: Path, target: Path) -> None:
    """Give the files of a table second names in another folder."""
    target.mkdir(parents=True)
    for path in parquet_files(source):
        new = target / path.relative_to(source)
        new.parent.mkdir(parents=True, exist_ok=True)
        link_or_copy(path, new)


def _month_views(spark: SparkSql, tables: Mapping[str, Table]) -> dict[str, str]:
    """The queries of the views of months of these tables, by the views' names."""
    named = [f"{SCHEMA}.{name} " for name, table in tables.items() if table.mart.month_views]
    found = {}
    for view in spark.tables(MONTHLY) if named else ():
        rows = spark.run(f"describe table extended {MONTHLY}.{backquoted(view)}")
        query = dict(row[:2] for row in rows)["View Text"].replace("`", '"')
        if any(name in query for name in named):
            found[view] = query
    return found


def _digest(folder: Path) -> str:
    """What tells the files of a version from others: their names, which Spark makes up for each it writes, and sizes."""
    found = hashlib.blake2b(digest_size=16)
    for path in parquet_files(folder):
        found.update(f"{path.relative_to(folder)} {path.stat().st_size}\n".encode())
    return found.hexdigest()
