"""A database of another engine with the raw tables of a DuckDB warehouse, to compare what dbt builds from them."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from settings import Settings
from tests.dbt_project import number_formats
from tests.parsed import lineage_of
from transformation.dbt import UNIT_TESTS, run_dbt

SCHEMAS = ("clean", "curated", "marts", "seeds", "monthly")
#: Columns in which two builds of the same rows differ.
EXCEPT = ("_validated_at", "_built_at", "_source_built_at")

#: Schema and name.
Table = tuple[str, str]


class Twin(ABC):
    """A database with the raw tables of the warehouse of some settings."""

    def __init__(self, settings: Settings, variables: Mapping[str, str]) -> None:
        self._settings = settings
        # dbt's connection, and a target folder of the engine's own.
        target = variables["SLUICE_TARGET"]
        own = {"DBT_TARGET": target, "DBT_TARGET_PATH": str(settings.data_dir / "dbt" / target)}
        self._variables = {**variables, **own}

    @abstractmethod
    def take_raw(self) -> None:
        """Copy the raw tables from the warehouse."""

    @abstractmethod
    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows, if it has any."""

    @abstractmethod
    def columns(self) -> dict[Table, dict[str, str]]:
        """Return the names and types of the columns of all that dbt built."""

    @abstractmethod
    def named(self, kind: str) -> str:
        """Return the engine's name for a type of DuckDB, as in `columns`."""

    @abstractmethod
    def copy_table_to(
        self, warehouse: duckdb.DuckDBPyConnection, table: Table, columns: dict[str, str], folder: Path
    ) -> None:
        """Fill the table `theirs` of a connection, which has these columns, with the rows of a table of the engine."""

    def build(self, *options: str) -> None:
        """Run `dbt build` on the database."""
        run_dbt(["build", *options], self._settings, quiet=True, variables=self._variables)
        if "--select" not in options:
            self.lineage = lineage_of(Path(self._variables["DBT_TARGET_PATH"]) / "manifest.json")

    def run_unit_tests(self, of: str = "") -> None:
        """Run the unit tests of all or of some models on the database."""
        select = ["--select", UNIT_TESTS + (of and f",{of}")]
        run_dbt(["test", *select], self._settings, quiet=True, variables=self._variables)

    def check_number_formats(self) -> None:
        """Check that the database reads numbers with marks and units as DuckDB does."""
        number_formats.check(self._settings, self.query, self._variables)

    def compare(self, domain: str | None = None) -> tuple[int, dict[str, str]]:
        """Compare all tables that dbt built, or those of a domain; return the number of rows and `{table: difference}`."""
        compared, found = 0, {}
        named = self._tables_of(domain) if domain else None
        with self.warehouse() as warehouse, TemporaryDirectory() as folder:
            ours = columns_of(warehouse, f"table_schema in {SCHEMAS}")
            theirs = self.columns()
            for table in ours.keys() | theirs.keys() if named is None else named:
                kinds = {name: self.named(kind) for name, kind in ours.get(table, {}).items()}
                if kinds != theirs.get(table):
                    found[".".join(table)] = f"{kinds} {theirs.get(table)}"
                    continue
                rows, differing = self._compare(warehouse, table, ours[table], Path(folder))
                compared += rows
                if differing:
                    found[".".join(table)] = str(differing)
        return compared, found

    def _tables_of(self, domain: str) -> set[Table]:
        manifest = json.loads((self._settings.dbt_target / "manifest.json").read_text())
        return {
            (node["schema"], node["alias"])
            for node in manifest["nodes"].values()
            if domain in node["tags"] and node["resource_type"] in ("model", "seed")
        }

    def warehouse(self) -> duckdb.DuckDBPyConnection:
        """Open the warehouse read-only."""
        connection = duckdb.connect(str(self._settings.warehouse), read_only=True)
        connection.execute("set TimeZone = 'UTC'")
        return connection

    def _compare(
        self, warehouse: duckdb.DuckDBPyConnection, table: Table, columns: dict[str, str], folder: Path
    ) -> tuple[int, list[Any]]:
        """Return the number of rows of a table, and the first rows that only one database has."""
        columns = {name: kind for name, kind in columns.items() if name not in EXCEPT}
        name, names = ".".join(table), ", ".join(f'"{column}"' for column in columns)
        warehouse.execute(f"create or replace temp table theirs as select {names} from {name} limit 0")
        self.copy_table_to(warehouse, table, columns, folder)
        # A sum of doubles depends on the order of addition.
        values = ", ".join(
            f'round("{column}", 6)' if kind == "DOUBLE" else f'"{column}"' for column, kind in columns.items()
        )
        one_way = f"(select {values} from {name} except all select {values} from theirs)"
        other_way = f"(select {values} from theirs except all select {values} from {name})"
        differing = warehouse.execute(f"{one_way} union all {other_way} limit 4").fetchall()
        return warehouse.execute(f"select count(*) from {name}").fetchone()[0], differing


def columns_of(warehouse: duckdb.DuckDBPyConnection, where: str) -> dict[Table, dict[str, str]]:
    """Return names and types of the columns of the warehouse that meet a condition on `information_schema.columns`."""
    found = {}
    for schema, table, name, kind in warehouse.execute(columns_query("data_type", where)).fetchall():
        if not schema.endswith("_staging"):
            found.setdefault((schema, table), {})[name] = kind
    return found


def columns_query(kind: str, where: str) -> str:
    """Return a query of `information_schema.columns`."""
    return (
        f"select table_schema, table_name, column_name, {kind} from information_schema.columns "
        f"where {where} order by table_schema, table_name, ordinal_position"
    )
