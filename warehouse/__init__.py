"""The working warehouse. The dbt target of the settings selects its engine, here and nowhere else."""

import importlib
from contextlib import AbstractContextManager

from settings import Settings
from warehouse.interface import (
    WAIT_SECONDS,
    Column,
    Engine,
    Warehouse,
    WarehouseBusyError,
    WarehouseError,
    WarehouseUnavailableError,
)
from warehouse.sql import literal, quoted

__all__ = [
    "WAIT_SECONDS",
    "Column",
    "Warehouse",
    "WarehouseBusyError",
    "WarehouseError",
    "WarehouseUnavailableError",
    "connect",
    "domain_lock",
    "literal",
    "quoted",
    "read_connection",
    "temporary_warehouse",
    "warehouse_exists",
]

ENGINES = {"duckdb": "duckdb_file", "postgres": "postgres", "spark": "spark"}


def connect(
    settings: Settings,
    domain: str | None = None,
    *,
    wait_seconds: float = WAIT_SECONDS,
    max_memory: str | None = None,
) -> AbstractContextManager[Warehouse]:
    """Open the warehouse for writing, until the block ends.

    A DuckDB file has one writing process at a time, which may pass its connection on (dlt writes through
    it). On a server, writers of different domains run side by side.

    Args:
        settings: the data folder and environment.
        domain: the domain whose tables are written; None for tables that no other process writes.
        wait_seconds: how long to wait for another process.
        max_memory: the most memory that the work needs in this process (`512MB`), if the settings allow more.

    Raises:
        WarehouseBusyError: another process, which the message names, kept it for `wait_seconds`.
        WarehouseUnavailableError: its server cannot be reached.
    """
    return _engine(settings).connect(settings, domain, wait_seconds=wait_seconds, max_memory=max_memory)


def read_connection(settings: Settings) -> AbstractContextManager[Warehouse]:
    """Open the warehouse for reading; a DuckDB file together with other readers, or after its writer has ended.

    Raises:
        WarehouseBusyError, WarehouseUnavailableError: see `connect`.
    """
    return _engine(settings).read_connection(settings)


def warehouse_exists(settings: Settings) -> bool:
    """Whether there is a warehouse; false before the first load into a file."""
    return _engine(settings).warehouse_exists(settings)


def domain_lock(settings: Settings, domain: str) -> AbstractContextManager[None]:
    """Keep other runs of a domain waiting while a child process, such as dbt, writes.

    Raises:
        WarehouseBusyError, WarehouseUnavailableError: see `connect`.
    """
    return _engine(settings).domain_lock(settings, domain)


def temporary_warehouse(settings: Settings, name: str) -> AbstractContextManager[Settings]:
    """Give settings with an empty warehouse, which is removed when the block ends.

    A warehouse that is a file lies in the data folder, which the caller removes.

    Args:
        settings: the server to use.
        name: the purpose, as a part of names.

    Raises:
        WarehouseUnavailableError: the server cannot be reached, or creates no database for this user.
    """
    return _engine(settings).temporary_warehouse(settings, name)


def _engine(settings: Settings) -> Engine:
    # Each engine imports its own library.
    return importlib.import_module(f"warehouse.{ENGINES[settings.target]}")
