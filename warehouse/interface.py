"""The interface that every engine implements. Any other SQL must mean the same on all engines."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from settings import Settings

if TYPE_CHECKING:  # slow imports that readers do not need
    import duckdb
    from dlt.common.destination import Destination

# Longer than the longest build of another domain should hold the warehouse.
WAIT_SECONDS = 900.0
Parameters = Sequence[Any] | Mapping[str, Any]


class WarehouseBusyError(RuntimeError):
    """Another process held the warehouse for the whole waiting time."""


class WarehouseError(RuntimeError):
    """The warehouse rejected a statement; the message is the engine's."""


class WarehouseUnavailableError(WarehouseError):
    """The server of the warehouse cannot be reached or started."""


@dataclass(frozen=True)
class Column:
    """A column of a table, with the engine's name of its type."""

    name: str
    kind: str
    nullable: bool


class Cursor(Protocol):
    """The result of a statement, as in DB-API 2.0."""

    @property
    def description(self) -> Sequence[Sequence[Any]]: ...  # noqa: D102

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[tuple[Any, ...]]: ...


@dataclass(frozen=True)
class ImportFile:
    """A file of rows that dlt imports into a raw table."""

    path: Path
    file_format: Literal["parquet", "csv"]


class Warehouse(Protocol):
    """An open warehouse. The session's time zone is UTC, and each statement is a transaction of its own."""

    def execute(self, sql: str, parameters: Parameters | None = None) -> Cursor:
        """Run a statement, with parameters written as `?` or as `$name`."""

    def columns(self, schema: str, table: str) -> list[str]:
        """Return the columns of a table in order; an empty list if there is no such table."""

    def drop_columns(self, schema: str, table: str, columns: Sequence[str], views: Collection[str]) -> None:
        """Drop columns of a table, and those views in `clean` that show all of its columns, if the engine needs it.

        Raises:
            WarehouseError: something else needs them.
        """

    def destination(self) -> "Destination":
        """Return dlt's destination, on which a merge is one transaction and files get their `_dlt_load_id`."""

    def normalize_column_name(self, column: str) -> str:
        """Return a raw column's name, shortened if the engine limits names."""

    def import_file(self, parquet: Path) -> ImportFile:
        """Return the file that dlt imports for a Parquet file of texts and integers; it may be a copy beside it."""

    def sha256(self, text: str) -> str:
        """Return SQL for the hexadecimal SHA-256 of a text expression."""

    def tables(self, schema: str) -> dict[str, list[Column]]:
        """Return the tables and views of a schema, each with its columns in order."""

    def row_hashes(self, columns: Sequence[str]) -> str:
        """Return SQL for the sum of a hash of these columns over all rows, an integer; the same for the same rows."""

    def is_finite(self, column: str) -> str:
        """Return SQL for whether a floating-point number is finite."""

    def copy_table_to(
        self, schema: str, table: str, into: "duckdb.DuckDBPyConnection", relation: str
    ) -> None:
        """Copy a table with the same values into a DuckDB database, as `relation`."""

    def write_csv(self, query: str, path: Path) -> None:
        """Write a query's rows as CSV with a header; null as no text at all, an empty text as `""`."""


class Engine(Protocol):
    """A kind of warehouse; see the functions of the same names in `warehouse`."""

    def connect(
        self, settings: Settings, domain: str | None, *, wait_seconds: float, max_memory: str | None
    ) -> AbstractContextManager[Warehouse]: ...

    def read_connection(self, settings: Settings) -> AbstractContextManager[Warehouse]: ...

    def warehouse_exists(self, settings: Settings) -> bool: ...

    def domain_lock(self, settings: Settings, domain: str) -> AbstractContextManager[None]: ...

    def temporary_warehouse(self, settings: Settings, name: str) -> AbstractContextManager[Settings]: ...
