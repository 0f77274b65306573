"""The way to the working warehouse, whichever engine it is: the target says which, here and nowhere else."""

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
)
from warehouse.sql import quoted

__all__ = [
    "WAIT_SECONDS",
    "Column",
    "Warehouse",
    "WarehouseBusyError",
    "WarehouseError",
    "connect",
    "is_there",
    "quoted",
    "reading",
    "domain_lock",
    "scratch",
]

ENGINES = {"duckdb": "duckdb_file", "postgres": "postgres", "spark": "spark"}


def connect(
    settings: Settings,
    domain: str | None = None,
    *,
    wait_seconds: float = WAIT_SECONDS,
    max_memory: str | None = None,
) -> AbstractContextManager[Warehouse]:
    """Open the working warehouse for writing and keep it until the block ends.

    A DuckDB file is for one writing process at a time; whoever holds the connection may hand it on (dlt
    takes it as it is) and nobody comes in between. On a server, writers of different domains go on side by side.

    Args:
        settings: which data folder and environment.
        domain: whose tables are written; None for who writes none that others write.
        wait_seconds: how long to wait for another process.
        max_memory: what the work needs at most in this process (`512MB`), where the settings allow more.

    Raises:
        WarehouseBusyError: another process still had it after `wait_seconds`; names it. Or there is no server.
    """
    return _engine(settings).connect(settings, domain, wait_seconds=wait_seconds, max_memory=max_memory)


def reading(settings: Settings) -> AbstractContextManager[Warehouse]:
    """Open the warehouse for reading; a DuckDB file beside other readers, or when the process that writes has ended.

    Raises:
        WarehouseBusyError: a process that writes kept it, or there is no server.
    """
    return _engine(settings).reading(settings)


def is_there(settings: Settings) -> bool:
    """Whether there is a warehouse; false before the first load into a file."""
    return _engine(settings).is_there(settings)


def domain_lock(settings: Settings, domain: str) -> AbstractContextManager[None]:
    """Keep other runs of a domain out while a process that is started here writes, as dbt does.

    Raises:
        WarehouseBusyError: see `connect`.
    """
    return _engine(settings).domain_lock(settings, domain)


def scratch(settings: Settings, name: str) -> AbstractContextManager[Settings]:
    """Settings that differ in the warehouse: an empty one, which is gone afterwards.

    The data folder is the caller's: a warehouse that is a file is gone with it.

    Args:
        settings: which server.
        name: what it is for.

    Raises:
        WarehouseBusyError: there is no server, or it makes no database for this user.
    """
    return _engine(settings).scratch(settings, name)


def _engine(settings: Settings) -> Engine:
    # One of them is needed, and each brings its library.
    return importlib.import_module(f"warehouse.{ENGINES[settings.target]}")
