"""A Spark cluster as the warehouse: dbt builds Parquet files in a folder, the lake, that this machine shares.

Loads write into a DuckDB file first, where each is complete or absent, and from there to the lake (see
`spark_raw_tables`). DuckDB reads the tables that dbt builds from their files; a view has no files, so the cluster
computes it when a query names it. One process at a time loads; builds of different domains run side by side.
"""

import re
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from common.file_lock import FileLockedError, file_lock
from settings import Settings
from settings.warehouse import SparkServer
from warehouse import duckdb_file
from warehouse.interface import (
    WAIT_SECONDS,
    Column,
    Parameters,
    WarehouseBusyError,
    WarehouseUnavailableError,
)
from warehouse.spark_parquet import parquet_files, relation_of
from warehouse.spark_raw_tables import write_raw_parquet
from warehouse.spark_server import SparkMissingError, spark_server, unused_port
from warehouse.spark_sql import SparkSql, backquoted, session
from warehouse.sql import quoted

if TYPE_CHECKING:
    import duckdb

# The schemas that dbt builds; see dbt_project.yml.
BUILT = ("clean", "curated", "marts", "seeds", "monthly")
NAMED = re.compile(rf'\b({"|".join(BUILT)})"?\."?(\w+)')
# The attached database in which this process sees those schemas.
LAKE = "lake"


def _server(settings: Settings) -> SparkServer:
    assert settings.spark, "the target is spark"
    return settings.spark


class SparkWarehouse(duckdb_file.DuckDbWarehouse):
    """The raw tables of a DuckDB file and the tables of the lake; see `Warehouse`. Its SQL is DuckDB's."""

    def __init__(self, connection: "duckdb.DuckDBPyConnection", settings: Settings, spark: SparkSql) -> None:
        super().__init__(connection)
        self.spark = spark
        self._lake = _server(settings).lake
        self._attached: dict[str, set[str]] = {}

    def execute(self, sql: str, parameters: Parameters | None = None) -> "duckdb.DuckDBPyConnection":
        """Run a statement, after attaching the tables of the lake that it names."""
        for schema, table in {*NAMED.findall(sql)}:
            self._attach_table(schema, table)
        return super().execute(sql, parameters)

    def columns(self, schema: str, table: str) -> list[str]:
        if schema in BUILT:
            self._attach_table(schema, table)
        return super().columns(schema, table)

    def tables(self, schema: str, database: str | None = None) -> dict[str, list[Column]]:
        if schema not in BUILT or database:
            return super().tables(schema, database)
        for table in self.spark.tables(schema):
            self._attach_table(schema, table)
        return super().tables(schema, LAKE) if self._attached else {}

    def copy_table_to(
        self, schema: str, table: str, into: "duckdb.DuckDBPyConnection", relation: str
    ) -> None:
        self.columns(schema, table)
        super().copy_table_to(schema, table, into, relation)

    def drop_columns(self, schema: str, table: str, columns: Sequence[str], views: Collection[str]) -> None:
        super().drop_columns(schema, table, columns, views)
        for view in set(views).intersection(self.spark.tables("clean")):
            self.spark.run(f"drop view clean.{backquoted(view)}")

    def write_csv(self, query: str, path: Path) -> None:
        for schema, table in {*NAMED.findall(query)}:
            self._attach_table(schema, table)
        super().write_csv(query, path)

    def _attach_table(self, schema: str, table: str) -> None:
        """Create a DuckDB view of a table's files in the lake, or a copy of a view of the cluster."""
        if not self._attached:
            self._attach_lake()
        if table in self._attached[schema]:
            return
        folder = self._lake / schema / table
        name = f"{LAKE}.{quoted(schema)}.{quoted(table)}"
        if folder.is_dir():
            kinds = {} if parquet_files(folder) else self.spark.columns(schema, table)
            self.connection.execute(f"create view {name} as {relation_of(self.connection, folder, kinds)}")
        elif table in self.spark.tables(schema):
            self._compute(schema, table, name)
        else:
            return  # the query then fails with the name of the table
        self._attached[schema].add(table)

    def _compute(self, schema: str, view: str, name: str) -> None:
        """Let the cluster write the rows of a view to files, and copy them."""
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

    def _attach_lake(self) -> None:
        ((own,),) = self.connection.execute("select current_database()").fetchall()
        self.connection.execute(f"attach ':memory:' as {LAKE} (read_write)")
        for schema in BUILT:
            self.connection.execute(f"create schema {LAKE}.{quoted(schema)}")
        path = [f"{quoted(own)}.main", *(f"{LAKE}.{schema}" for schema in BUILT)]
        self.connection.execute(f"set search_path = '{','.join(path)}'")
        self._attached = {schema: set() for schema in BUILT}


@contextmanager
def connect(
    settings: Settings, domain: str | None, *, wait_seconds: float, max_memory: str | None
) -> Iterator[SparkWarehouse]:
    """Open the raw tables for writing; at the end, copy the domain's changes to the lake."""
    with (
        _exclusive(settings, domain, wait_seconds),
        session(_server(settings)) as spark,
        duckdb_file.connect(settings, domain, wait_seconds=wait_seconds, max_memory=max_memory) as opened,
    ):
        try:
            yield SparkWarehouse(opened.connection, settings, spark)
        finally:
            if domain:
                write_raw_parquet(opened.connection, f"raw_{domain}", _server(settings).lake, spark)


@contextmanager
def read_connection(settings: Settings) -> Iterator[SparkWarehouse]:
    with session(_server(settings)) as spark, duckdb_file.read_connection(settings) as opened:
        yield SparkWarehouse(opened.connection, settings, spark)


def warehouse_exists(settings: Settings) -> bool:
    return settings.warehouse.exists()


@contextmanager
def domain_lock(settings: Settings, domain: str) -> Iterator[None]:
    with _exclusive(settings, domain, WAIT_SECONDS):
        yield


@contextmanager
def temporary_warehouse(settings: Settings, name: str) -> Iterator[Settings]:
    """Start a server with an empty catalog, and with its lake in the data folder."""
    folder = settings.data_dir / name
    changes = {"host": "127.0.0.1", "port": unused_port(), "lake": settings.data_dir / "lake"}
    server = _server(settings).model_copy(update=changes)
    try:
        with spark_server(server, folder):
            yield settings.model_copy(update={"spark": server})
    except SparkMissingError as error:
        raise WarehouseUnavailableError(str(error)) from error


@contextmanager
def _exclusive(settings: Settings, domain: str | None, wait_seconds: float) -> Iterator[None]:
    """Keep other processes that work on the domain waiting."""
    if domain is None:
        yield
        return
    folder = settings.warehouse.parent
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with file_lock(folder / f".{settings.warehouse_name}.{domain}.lock", wait_seconds):
            yield
    except FileLockedError as error:
        raise WarehouseBusyError(f"another run of {domain} is active: {error}") from error
