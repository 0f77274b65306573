"""Versions of a lake: DuckDB files with views of the version's Parquet files, and no rows.

    <lake>/published/<domain>.duckdb, <domain>/<version>.duckdb, …    as in `publishing.file_store`
    <lake>/published/<domain>/v<moment>/<table>/…                     the version's files, second names of the lake's
    published_<domain>_v<moment>                                      the version's tables, on the cluster
    published_<domain>                                                views of the active version, on the cluster

Spark only creates and removes files, so a version keeps them by a second name and copies nothing. What readers open
here changes by one rename. The cluster cannot change several views at once, so they change one after the other; the
next process that takes the lock finishes what a killed one left undone.
"""

import hashlib
import re
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from common.files import sync
from publishing import candidate
from publishing.candidate import link_or_copy
from publishing.file_store import FileStore
from publishing.marts import MONTH_VIEWS_SCHEMA, SCHEMA
from publishing.table_stats import Table, TableStats, describe_tables, verify_written
from publishing.versions import Version, VersionError, now
from settings import Settings
from warehouse import WAIT_SECONDS, quoted
from warehouse.duckdb_file import DuckDbWarehouse
from warehouse.spark import SparkWarehouse
from warehouse.spark_parquet import parquet_files, relation_of
from warehouse.spark_sql import SparkSql, backquoted, session

# The property of the views' schema that names the version.
SHOWN = "sluice.version"


class SparkStore(FileStore):
    """The versions of a domain in the lake."""

    def __init__(self, domain: str, settings: Settings) -> None:
        super().__init__(domain, settings)
        assert settings.spark is not None
        self._server = settings.spark
        self._marts = settings.spark.lake / SCHEMA
        self._schema = f"published_{domain}"

    @contextmanager
    def lock(self, *, wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
        with super().lock(wait_seconds=wait_seconds):
            self._clean_up()
            yield

    def prepare(self, old: Version | None) -> None:
        """Do nothing: a version links the files as they are."""

    def write(
        self,
        warehouse: SparkWarehouse,
        tables: Mapping[str, Table],
        stats: Mapping[str, TableStats],
        old: Version | None,
    ) -> dict[str, Any]:
        """Give the tables' files second names, and create views of them, here, and tables, on the cluster."""
        folder = self.folder / f"v{now():%Y%m%dT%H%M%S%f}"
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
        with duckdb.connect() as connection:
            candidate.attach(connection, self.candidate, candidate.NAME)
            connection.execute(f"use {candidate.NAME}")
            connection.execute(f"create schema {SCHEMA}")
            for name in tables:
                rows = relation_of(connection, folder / name, spark.columns(SCHEMA, name))
                connection.execute(f"create view {SCHEMA}.{quoted(name)} as {rows}")
            if months:
                connection.execute(f"create schema {MONTH_VIEWS_SCHEMA}")
            for month_view, query in months.items():
                connection.execute(f"create view {MONTH_VIEWS_SCHEMA}.{quoted(month_view)} as {query}")
            written = DuckDbWarehouse(connection)
            views = describe_tables(written, [table.mart for table in tables.values()])
            for name, view in views.items():
                verify_written(written, view, stats[name], [])
            connection.execute(f"checkpoint {candidate.NAME}")
        sync(self.candidate)
        return {
            **self._file_facts(self.candidate),
            "bytes": sum(path.stat().st_size for path in parquet_files(folder)),
            "storage_version": candidate.STORAGE_VERSION,
            "folder": folder.name,
            "files": _digest(folder),
            "months": months,
        }

    def activate(self, name: str, what: str) -> None:
        super().activate(name, what)
        self._show(self.get(name))

    def verify(self, version: Version) -> None:
        super().verify(version)
        folder = self.folder / version.facts["folder"]
        if _digest(folder) != version.facts["files"]:
            raise VersionError(f"{folder} does not hold what was published as {version.name}")

    def _same_rows(self, one: Mapping[str, TableStats], other: Mapping[str, TableStats]) -> bool:
        """Compare numbers of rows: the statistics are Spark's, whose hashes are not DuckDB's."""
        return {name: each.rows for name, each in one.items()} == {
            name: each.rows for name, each in other.items()
        }

    def _remove(self, names: Collection[str]) -> None:
        super()._remove(names)
        self._clean_up()

    def _schema_of(self, folder: str) -> str:
        return f"{self._schema}_{folder.lower()}"

    def _show(self, version: Version) -> None:
        """Let the cluster's views show a version; a property of their schema names it once all of them do."""
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
        """Return the version that the cluster's views show; None if there are none, or views of several versions."""
        facts = dict(row[:2] for row in spark.run(f"describe schema extended {backquoted(self._schema)}"))
        found = re.search(rf"\({SHOWN},([^)]*)\)", facts.get("Properties", ""))
        return found[1] if found else None

    def _clean_up(self) -> None:
        """Remove files and tables of versions that are not recorded, and let the views show the active version."""
        active = self.active()
        folders = {each.facts.get("folder") for each in self.versions()}
        for folder in self.folder.glob("v*T*"):
            if folder.is_dir() and folder.name not in folders:
                shutil.rmtree(folder)
        with session(self._server) as spark:
            schemas = {schema for (schema,) in spark.run(f"show schemas like '{self._schema}*'")}
            for schema in (
                schemas - {self._schema} - {self._schema_of(folder) for folder in folders if folder}
            ):
                if schema.startswith(f"{self._schema}_v2"):
                    spark.run(f"drop schema {backquoted(schema)} cascade")
            shown = self._shown(spark) if self._schema in schemas else None
        if active and active.facts.get("folder") and shown != active.name:
            self._show(active)


def _link_all(source: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for path in parquet_files(source):
        new = target / path.relative_to(source)
        new.parent.mkdir(parents=True, exist_ok=True)
        link_or_copy(path, new)


def _month_views(spark: SparkSql, tables: Mapping[str, Table]) -> dict[str, str]:
    """Return the queries of the views per month of these tables, by the names of the views."""
    named = [f"{SCHEMA}.{name} " for name, table in tables.items() if table.mart.month_views]
    found = {}
    for view in spark.tables(MONTH_VIEWS_SCHEMA) if named else ():
        rows = spark.run(f"describe table extended {MONTH_VIEWS_SCHEMA}.{backquoted(view)}")
        query = dict(row[:2] for row in rows)["View Text"].replace("`", '"')
        if any(name in query for name in named):
            found[view] = query
    return found


def _digest(folder: Path) -> str:
    """Hash the names of a version's files, which Spark invents for each file that it writes, and their sizes."""
    found = hashlib.blake2b(digest_size=16)
    for path in parquet_files(folder):
        found.update(f"{path.relative_to(folder)} {path.stat().st_size}\n".encode())
    return found.hexdigest()
