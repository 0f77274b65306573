"""The warehouse on a Spark cluster: what is built is Parquet files in a folder, the lake, that this machine shares.

What is loaded goes into a DuckDB file first, where a load is all there or not at all, and from there to the lake (see
`lake_raw`). What dbt builds on the cluster is read here from its files, by DuckDB; a view, which has none, is computed by
the cluster when a query names it. One process at a time loads; builds of different domains go on side by side.
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from common.file_lock import FileLockedError, file_lock
from settings import Settings
from warehouse import duckdb_file
from warehouse.interface import WAIT_SECONDS, Column, Parameters, WarehouseBusyError
from warehouse.spark_parquet import parquet_files, relation_of
from warehouse.spark_raw_tables import write_raw_parquet
from warehouse.spark_server import SparkMissingError, spark_server, unused_port
from warehouse.spark_sql import SparkSql, backquoted, session
from warehouse.sql import quoted

if TYPE_CHECKING:
    import duckdb

# What dbt builds; see dbt_project.yml.
BUILT = ("clean", "curated", "marts", "seeds", "monthly")
NAMED = re.compile(rf'\b({"|".join(BUILT)})"?\."?(\w+)')
# The database, beside the file, in which this process sees what is built.
LAKE = "lake"


class SparkWarehouse(duckdb_file.DuckDbWarehouse):
    """The raw tables of a DuckDB file, and the tables of the lake; see `Warehouse`. Its SQL is DuckDB's."""

    def __init__(self, connection: "duckdb.DuckDBPyConnection", settings: Settings, spark: SparkSql) -> None:
        super().__init__(connection)
        self.spark = spark
        self._lake = settings.spark.lake
        self._there: dict[str, set[str]] = {}

    def execute(self, sql: str, parameters: Parameters | None = None) -> "duckdb.DuckDBPyConnection":
        """Run a statement, for which the tables of the lake that it names are there."""
        for schema, table in {*NAMED.findall(sql)}:
            self._see(schema, table)
        return super().execute(sql, parameters)

    def columns(self, schema: str, table: str) -> list[str]:
        """Columns of a table in order; none if there is no such table."""
        if schema in BUILT:
            self._see(schema, table)
        return super().columns(schema, table)

    def tables(self, schema: str, database: str | None = None) -> dict[str, list[Column]]:
        """The tables and views of a schema, each with its columns in order."""
        if schema not in BUILT or database:
            return super().tables(schema, database)
        for table in self.spark.tables(schema):
            self._see(schema, table)
        return super().tables(schema, LAKE) if self._there else {}

    def copy_table_to(
        self, schema: str, table: str, into: "duckdb.DuckDBPyConnection", relation: str
    ) -> None:
        """Copy a table as it stands into a DuckDB database."""
        self.columns(schema, table)
        super().copy_table_to(schema, table, into, relation)

    def write_csv(self, query: str, path: Path) -> None:
        """Write a query's rows as CSV with a header."""
        for schema, table in {*NAMED.findall(query)}:
            self._see(schema, table)
        super().write_csv(query, path)

    def _see(self, schema: str, table: str) -> None:
        """Let DuckDB see a table of the lake as a view of its files, and a view of the cluster as what it holds now."""
        if not self._there:
            self._attach()
        if table in self._there[schema]:
            return
        folder = self._lake / schema / table
        name = f"{LAKE}.{quoted(schema)}.{quoted(table)}"
        if folder.is_dir():
            kinds = {} if parquet_files(folder) else self.spark.columns(schema, table)
            self.connection.execute(f"create view {name} as {relation_of(self.connection, folder, kinds)}")
        elif table in self.spark.tables(schema):
            self._compute(schema, table, name)
        else:
            return  # the query says that it is missing
        self._there[schema].add(table)

    def _compute(self, schema: str, view: str, name: str) -> None:
        """Have the cluster write what a view holds, and read that."""
        folder = self._lake / ".views" / uuid4().hex
        table = f"{backquoted(schema)}.{backquoted(f'{view}_{folder.name}')}"
        try:
            self.spark.run(
                f"create table {table} using parquet location '{folder}' as select * from {backquoted(schema)}.{backquoted(view)}"
            )
            rows = relation_of(self.connection, folder, self.spark.columns(schema, view))
            self.connection.execute(f"create table {name} as {rows}")
        finally:
            self.spark.run(f"drop table if exists {table}")
            shutil.rmtree(folder, ignore_errors=True)

    def _attach(self) -> None:
        own = self.connection.execute("select current_database()").fetchone()[0]
        self.connection.execute(f"attach ':memory:' as {LAKE} (read_write)")
        for schema in BUILT:
            self.connection.execute(f"create schema {LAKE}.{quoted(schema)}")
        path = [f"{quoted(own)}.main", *(f"{LAKE}.{schema}" for schema in BUILT)]
        self.connection.execute(f"set search_path = '{','.join(path)}'")
        self._there = {schema: set() for schema in BUILT}


@contextmanager
def connect(
    settings: Settings, domain: str | None, *, wait_seconds: float, max_memory: str | None
) -> Iterator[SparkWarehouse]:
    """Open the raw tables for writing; at the end, what came and went of the domain's is in the lake as well."""
    with (
        _of(settings, domain, wait_seconds),
        session(settings.spark) as spark,
        duckdb_file.connect(settings, domain, wait_seconds=wait_seconds, max_memory=max_memory) as opened,
    ):
        try:
            yield SparkWarehouse(opened.connection, settings, spark)
        finally:
            if domain:
                write_raw_parquet(opened.connection, f"raw_{domain}", settings.spark.lake, spark)


@contextmanager
def reading(settings: Settings) -> Iterator[SparkWarehouse]:
    """Open the raw tables for reading."""
    with session(settings.spark) as spark, duckdb_file.reading(settings) as opened:
        yield SparkWarehouse(opened.connection, settings, spark)


def is_there(settings: Settings) -> bool:
    """Whether anything was loaded."""
    return settings.warehouse.exists()


@contextmanager
def domain_lock(settings: Settings, domain: str) -> Iterator[None]:
    """Hold the domain's lock."""
    with _of(settings, domain, WAIT_SECONDS):
        yield


@contextmanager
def scratch(settings: Settings, name: str) -> Iterator[Settings]:
    """Start a server with an empty catalog, and with a lake in the data folder."""
    folder = settings.data_dir / name
    changes = {"host": "127.0.0.1", "port": unused_port(), "lake": settings.data_dir / "lake"}
    server = settings.spark.model_copy(update=changes)
    try:
        with spark_server(server, folder):
            yield settings.model_copy(update={"spark": server})
    except SparkMissingError as error:
        raise WarehouseBusyError(str(error)) from error


@contextmanager
def _of(settings: Settings, domain: str | None, wait_seconds: float) -> Iterator[None]:
    """Be the only process that works on a domain."""
    if domain is None:
        yield
        return
    folder = settings.warehouse.parent
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with file_lock(folder / f".{settings.warehouse_name}.{domain}.lock", wait_seconds):
            yield
    except FileLockedError as error:
        raise WarehouseBusyError(f"another run of {domain} is at work: {error}") from error
