"""A DuckDB file as the warehouse, with one writing process at a time.

Its own statements have no parameters: to bind one, DuckDB imports pandas, for longer than a short command takes.
"""

import re
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from settings import Settings
from warehouse.interface import (
    WAIT_SECONDS,
    Column,
    ImportFile,
    Parameters,
    WarehouseBusyError,
)
from warehouse.sql import literal, quoted

if TYPE_CHECKING:
    from dlt.common.destination import Destination


class DuckDbWarehouse:
    """The open file; see `Warehouse`. Code that is specific to DuckDB uses `connection`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    def execute(self, sql: str, parameters: Parameters | None = None) -> duckdb.DuckDBPyConnection:
        return self.connection.execute(sql, parameters)

    def columns(self, schema: str, table: str) -> list[str]:
        found = self.connection.execute(
            "select column_name from duckdb_columns()"
            f" where schema_name = {literal(schema)} and table_name = {literal(table)} order by column_index"
        )
        return [name for (name,) in found.fetchall()]

    def drop_columns(self, schema: str, table: str, columns: Sequence[str], views: Collection[str]) -> None:
        for name in columns:
            self.connection.execute(
                f"alter table {quoted(schema)}.{quoted(table)} drop column {quoted(name)}"
            )

    def destination(self) -> "Destination":
        from warehouse.duckdb_dlt import destination

        return destination(self.connection)

    def normalize_column_name(self, column: str) -> str:
        return column  # names may have any length

    def import_file(self, parquet: Path) -> ImportFile:
        return ImportFile(parquet, "parquet")

    def sha256(self, text: str) -> str:
        return f"sha256({text})"

    def tables(self, schema: str, database: str | None = None) -> dict[str, list[Column]]:
        """Return the tables and views of a schema, in this database or in an attached one."""
        found: dict[str, list[Column]] = {}
        for table, *column in self.connection.execute(
            "select table_name, column_name, data_type, is_nullable from duckdb_columns()"
            f" where database_name = {literal(database) if database else 'current_database()'}"
            f" and schema_name = {literal(schema)} order by table_name, column_index"
        ).fetchall():
            found.setdefault(table, []).append(Column(*column))
        return found

    def row_hashes(self, columns: Sequence[str]) -> str:
        return f"coalesce(sum(hash({', '.join(map(quoted, columns))})::hugeint), 0)"

    def is_finite(self, column: str) -> str:
        return f"isfinite({quoted(column)})"

    def copy_table_to(self, schema: str, table: str, into: duckdb.DuckDBPyConnection, relation: str) -> None:
        rows = self.connection.execute(f"from {quoted(schema)}.{quoted(table)}").to_arrow_table()
        into.register("copied", rows)
        into.execute(f"create table {relation} as from copied")
        into.unregister("copied")

    def write_csv(self, query: str, path: Path) -> None:
        self.connection.sql(query).write_csv(str(path), header=True, use_tmp_file=False)


@contextmanager
def connect(
    settings: Settings, domain: str | None, *, wait_seconds: float, max_memory: str | None
) -> Iterator[DuckDbWarehouse]:
    """Open the file for writing; wait, because DuckDB refuses a second process at once."""
    settings.warehouse.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            if not settings.warehouse.exists():
                _create(settings.warehouse)
            connection = duckdb.connect(str(settings.warehouse))
            break
        except duckdb.IOException as error:
            if "lock" not in str(error):
                raise
            if time.monotonic() >= deadline:
                raise WarehouseBusyError(
                    f"{settings.warehouse} is held by process {_holder(error) or 'unknown'}; "
                    f"waited {wait_seconds:.0f} s"
                ) from error
            time.sleep(0.2)
    try:
        limits = [settings.memory_limit, *([max_memory] if max_memory else [])]
        connection.execute(f"set memory_limit = {literal(min(limits, key=_bytes))}")
        if max_memory:
            # `_source_row` has the order of rows. Keeping it in the table as well takes twice the
            # processor time, measured with 10,000,000 orders.
            connection.execute("set preserve_insertion_order = false")
        yield DuckDbWarehouse(connection)
    finally:
        connection.close()


@contextmanager
def read_connection(settings: Settings) -> Iterator[DuckDbWarehouse]:
    """Open the file for reading, together with other readers, or after the writing process has ended."""
    try:
        connection = duckdb.connect(
            str(settings.warehouse), read_only=True, config={"memory_limit": settings.memory_limit}
        )
    except duckdb.IOException:
        with connect(settings, None, wait_seconds=WAIT_SECONDS, max_memory=None) as writing:
            yield writing
        return
    with connection:
        yield DuckDbWarehouse(connection)


def writing_process(settings: Settings) -> int | None:
    """Return the process that has the file open for writing, at once; None if there is none, 0 if it is not known."""
    try:
        with duckdb.connect(str(settings.warehouse), read_only=True):
            return None
    except duckdb.IOException as error:
        if "lock" not in str(error):
            raise
        return _holder(error)


def _holder(error: duckdb.IOException) -> int:
    """Return the process that DuckDB names; 0 if it names none."""
    found = re.search(r"PID (\d+)", str(error))
    return int(found[1]) if found else 0


def warehouse_exists(settings: Settings) -> bool:
    return settings.warehouse.exists()


def domain_lock(settings: Settings, domain: str) -> nullcontext:
    """Return at once: the child process itself waits for the file and locks it."""
    return nullcontext()


def temporary_warehouse(settings: Settings, name: str) -> nullcontext[Settings]:
    """Return the same settings: the file is in the data folder."""
    return nullcontext(settings)


def _create(warehouse: Path) -> None:
    """Create the file in DuckDB's newest format, which stores text in two thirds of the time.

    Published files keep the default format, because others read them with their own DuckDB. The format is
    not set by `duckdb.connect`, because dbt opens the file in the same process with another configuration.
    """
    with duckdb.connect() as connection:
        connection.execute(f"attach {literal(warehouse)} as new_file (storage_version 'latest')")


def _bytes(size: str) -> float:
    """Return a size as DuckDB writes it (`2GB`, `1.5 GiB`) in bytes."""
    ((number, power, binary),) = re.findall(r"^([0-9.]+) ?([KMGT])(i?)B$", size)
    return float(number) * (1024 if binary else 1000) ** ("KMGT".index(power) + 1)
