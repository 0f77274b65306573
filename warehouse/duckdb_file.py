"""The warehouse as one DuckDB file, with one writing process at a time."""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from settings import Settings
from warehouse.interface import (
    WAIT_SECONDS,
    Column,
    ImportedFile,
    Parameters,
    WarehouseBusyError,
)
from warehouse.sql import literal, quoted

if TYPE_CHECKING:
    from dlt.common.destination import Destination


class DuckDbWarehouse:
    """The file, open; see `Warehouse`. Code that is for DuckDB alone has `connection`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    def execute(self, sql: str, parameters: Parameters | None = None) -> duckdb.DuckDBPyConnection:
        """Run a statement."""
        return self.connection.execute(sql, parameters)

    def columns(self, schema: str, table: str) -> list[str]:
        """Columns of a table in order; none if there is no such table."""
        found = self.connection.execute(
            "select column_name from duckdb_columns() where schema_name = ? and table_name = ? order by column_index",
            [schema, table],
        )
        return [name for (name,) in found.fetchall()]

    def destination(self) -> "Destination":
        """Return dlt's way into this file."""
        from warehouse.duckdb_dlt import destination

        return destination(self.connection)

    def normalize_column_name(self, column: str) -> str:
        """Names may have any length."""
        return column

    def importable(self, parquet: Path) -> ImportedFile:
        """As it is."""
        return ImportedFile(parquet, "parquet")

    def sha256(self, text: str) -> str:
        """SQL for the hexadecimal SHA-256 of a text."""
        return f"sha256({text})"

    def tables(self, schema: str, database: str | None = None) -> dict[str, list[Column]]:
        """The tables of a schema, of this database or of one that is attached."""
        found: dict[str, list[Column]] = {}
        for table, *column in self.connection.execute(
            "select table_name, column_name, data_type, is_nullable from duckdb_columns()"
            " where database_name = coalesce(?, current_database()) and schema_name = ?"
            " order by table_name, column_index",
            [database, schema],
        ).fetchall():
            found.setdefault(table, []).append(Column(*column))
        return found

    def row_hashes(self, columns: Sequence[str]) -> str:
        """SQL for the sum of a hash of these columns over rows."""
        return f"coalesce(sum(hash({', '.join(map(quoted, columns))})::hugeint), 0)"

    def is_finite(self, column: str) -> str:
        """SQL for whether a number is one that can be added up."""
        return f"isfinite({quoted(column)})"

    def copy_table_to(self, schema: str, table: str, into: duckdb.DuckDBPyConnection, relation: str) -> None:
        """Copy a table as it stands into a DuckDB database."""
        rows = self.connection.execute(f"from {quoted(schema)}.{quoted(table)}").to_arrow_table()
        into.register("brought", rows)
        into.execute(f"create table {relation} as from brought")
        into.unregister("brought")

    def write_csv(self, query: str, path: Path) -> None:
        """Write a query's rows as CSV with a header."""
        self.connection.sql(query).write_csv(str(path), header=True, use_tmp_file=False)


@contextmanager
def connect(
    settings: Settings, domain: str | None, *, wait_seconds: float, max_memory: str | None
) -> Iterator[DuckDbWarehouse]:
    """Open the file for writing. DuckDB refuses a second process at once, so this waits for the first to finish."""
    settings.warehouse.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            if not settings.warehouse.exists():
                _make(settings.warehouse)
            connection = duckdb.connect(str(settings.warehouse))
            break
        except duckdb.IOException as error:
            if "lock" not in str(error):
                raise
            if time.monotonic() >= deadline:
                holder = re.search(r"PID (\d+)", str(error))
                raise WarehouseBusyError(
                    f"{settings.warehouse} is held by process {holder[1] if holder else 'unknown'}; "
                    f"waited {wait_seconds:.0f} s"
                ) from error
            time.sleep(0.2)
    try:
        limits = [settings.memory_limit, *([max_memory] if max_memory else [])]
        connection.execute("set memory_limit = $limit", {"limit": min(limits, key=_bytes)})
        if max_memory:
            # `_source_row` says the order of rows. To keep it in the table as well costs, measured
            # with 10,000,000 orders, twice the processor time.
            connection.execute("set preserve_insertion_order = false")
        yield DuckDbWarehouse(connection)
    finally:
        connection.close()


@contextmanager
def reading(settings: Settings) -> Iterator[DuckDbWarehouse]:
    """Open the file for reading; beside other readers, or when the process that writes has ended."""
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


def is_there(settings: Settings) -> bool:
    """Whether the file is there."""
    return settings.warehouse.exists()


def domain_lock(settings: Settings, domain: str) -> nullcontext:
    """The process that is started waits for the file and keeps it."""
    return nullcontext()


def scratch(settings: Settings, name: str) -> nullcontext[Settings]:
    """The file is in the data folder."""
    return nullcontext(settings)


def _make(warehouse: Path) -> None:
    """Make the file in DuckDB's newest format, which stores text in two thirds of the time.

    Published files, which others read with a DuckDB of their own, keep to the default format. The format is
    not for `duckdb.connect` to say: dbt, in the same process, would then ask for another configuration.
    """
    with duckdb.connect() as connection:
        connection.execute(f"attach {literal(warehouse)} as made (storage_version 'latest')")


def _bytes(size: str) -> float:
    """A size as DuckDB takes it (`2GB`, `1.5 GiB`) in bytes."""
    number, power, binary = re.fullmatch(r"([0-9.]+) ?([KMGT])(i?)B", size).groups()
    return float(number) * (1024 if binary else 1000) ** ("KMGT".index(power) + 1)
