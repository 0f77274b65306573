"""What an engine must do to be the working warehouse. SQL that is not here must mean the same on all of them."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from settings import Settings

if TYPE_CHECKING:  # who only reads needs neither, whose imports take their time
    import duckdb
    from dlt.common.destination import Destination

# Longer than the longest build of another domain should hold the warehouse.
WAIT_SECONDS = 900.0
Parameters = Sequence[Any] | Mapping[str, Any]


class WarehouseBusyError(RuntimeError):
    """Another process held the warehouse for the whole waiting time, or its server cannot be reached."""


class WarehouseError(RuntimeError):
    """The warehouse refused a statement; the message is the engine's."""


@dataclass(frozen=True)
class Column:
    """A column of a table, with its type in the engine's words."""

    name: str
    kind: str
    nullable: bool


class Cursor(Protocol):
    """The answer to a statement, as Python's interface to databases has it."""

    description: Sequence[Sequence[Any]]

    def fetchone(self) -> tuple[Any, ...] | None: ...  # noqa: D102

    def fetchall(self) -> list[tuple[Any, ...]]: ...  # noqa: D102


@dataclass(frozen=True)
class ImportedFile:
    """A file of rows as dlt imports it into a raw table: where it is, and its format."""

    path: Path
    file_format: str


class Warehouse(Protocol):
    """A warehouse that is open. The session's zone is UTC, and each statement a transaction of its own."""

    def execute(self, sql: str, parameters: Parameters | None = None) -> Cursor:
        """Run a statement, with parameters written as `?` or as `$name`."""

    def columns(self, schema: str, table: str) -> list[str]:
        """Columns of a table in order; none if there is no such table."""

    def destination(self) -> "Destination":
        """dlt's way into this warehouse, on which a merge is one transaction."""

    def normalize_column_name(self, column: str) -> str:
        """A raw column's name, shortened where the engine has no names of its length."""

    def importable(self, parquet: Path) -> ImportedFile:
        """Return the file that dlt imports fastest here for a Parquet file of texts and integers; it may be a copy beside it."""

    def sha256(self, text: str) -> str:
        """SQL for the hexadecimal SHA-256 of a text, which is an expression."""

    def tables(self, schema: str) -> dict[str, list["Column"]]:
        """The tables and views of a schema, each with its columns in order."""

    def row_hashes(self, columns: Sequence[str]) -> str:
        """SQL for the sum, an integer, of a hash of these columns over rows; the same for the same rows."""

    def is_finite(self, column: str) -> str:
        """SQL for whether a floating-point number is one that can be added up."""

    def copy_table_to(
        self, schema: str, table: str, into: "duckdb.DuckDBPyConnection", relation: str
    ) -> None:
        """Copy a table as it stands into a DuckDB database, where it is `relation`, with the same values."""

    def write_csv(self, query: str, path: Path) -> None:
        """Write a query's rows as CSV with a header: null as no text at all, an empty text as `""`."""


class Engine(Protocol):
    """A kind of warehouse; see the functions of these names in `warehouse`."""

    def connect(  # noqa: D102
        self, settings: Settings, domain: str | None, *, wait_seconds: float, max_memory: str | None
    ) -> AbstractContextManager[Warehouse]: ...

    def reading(self, settings: Settings) -> AbstractContextManager[Warehouse]: ...  # noqa: D102

    def is_there(self, settings: Settings) -> bool: ...  # noqa: D102

    def domain_lock(self, settings: Settings, domain: str) -> AbstractContextManager[None]: ...  # noqa: D102

    def scratch(self, settings: Settings, name: str) -> AbstractContextManager[Settings]: ...  # noqa: D102
