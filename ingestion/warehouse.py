"""The way to the working warehouse: one DuckDB file, one writing process at a time."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from settings import Settings

# Longer than the longest build of another domain should hold the file.
WAIT_SECONDS = 900.0


class WarehouseBusyError(RuntimeError):
    """Another process held the warehouse for the whole waiting time."""


@contextmanager
def connect(
    settings: Settings, *, wait_seconds: float = WAIT_SECONDS, most_memory: str | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the working warehouse for writing and keep it until the block ends.

    DuckDB refuses a second process at once, so this waits for the first to finish; whoever holds
    the connection may hand it on (dlt takes it as it is) and nobody comes in between.

    Args:
        settings: which data folder and environment.
        wait_seconds: how long to wait for another process.
        most_memory: what the work needs at most (`512MB`), where the settings allow more.

    Raises:
        WarehouseBusyError: the file was still held after `wait_seconds`; names the holder's pid.
    """
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
        limits = [settings.memory_limit, *([most_memory] if most_memory else [])]
        connection.execute("set memory_limit = $limit", {"limit": min(limits, key=_bytes)})
        yield connection
    finally:
        connection.close()


@contextmanager
def reading(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse for reading; beside other readers, or when the process that writes has ended.

    Raises:
        WarehouseBusyError: a process that writes kept it.
    """
    try:
        connection = duckdb.connect(
            str(settings.warehouse), read_only=True, config={"memory_limit": settings.memory_limit}
        )
    except duckdb.IOException:
        with connect(settings) as writing:
            yield writing
        return
    with connection:
        yield connection


def _make(warehouse: Path) -> None:
    """Make the file in DuckDB's newest format, which stores text in two thirds of the time.

    Published files, which others read with a DuckDB of their own, keep to the default format. The format is
    not for `duckdb.connect` to say: dbt, in the same process, would then ask for another configuration.
    """
    with duckdb.connect() as connection:
        connection.execute(
            f"attach '{str(warehouse).replace(chr(39), chr(39) * 2)}' as made (storage_version 'latest')"
        )


def _bytes(size: str) -> float:
    """A size as DuckDB takes it (`2GB`, `1.5 GiB`) in bytes."""
    number, power, binary = re.fullmatch(r"([0-9.]+) ?([KMGT])(i?)B", size).groups()
    return float(number) * (1024 if binary else 1000) ** ("KMGT".index(power) + 1)


def table_columns(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> list[str]:
    """Columns of `schema.table` in order; none if there is no such table."""
    found = connection.execute(
        "select column_name from duckdb_columns() where schema_name = ? and table_name = ? order by column_index",
        [schema, table],
    )
    return [name for (name,) in found.fetchall()]
