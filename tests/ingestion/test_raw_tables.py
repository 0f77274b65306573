"""The raw tables themselves: their columns, how dlt takes a file, and the memory that is needed."""

from dataclasses import replace
from typing import Any

import pyarrow.parquet as pq
import pytest

from ingestion.load import load_domain
from ingestion.loader import loader
from ingestion.loader.loader import Loader
from ingestion.sources import collisions
from ingestion.sources.collisions import CRASHES
from settings import Settings
from tests.ingestion.conftest import Deliver, Query, crash
from warehouse import Warehouse, connect
from warehouse.duckdb_dlt import CopyParquetJob

COLUMNS = (
    "select column_name from duckdb_columns() "
    "where schema_name = 'raw_collisions' and table_name = ? order by column_index"
)
HEADER = ",".join(CRASHES.columns)


@pytest.fixture
def writers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which program wrote each Parquet file that comes to be copied."""
    found: list[str] = []
    run = CopyParquetJob.run

    def noting(job: Any) -> None:
        metadata = pq.ParquetFile(job._file_path).metadata
        if metadata.num_rows:
            found.append(metadata.created_by.split()[0])
        run(job)

    monkeypatch.setattr(CopyParquetJob, "run", noting)
    return found


def test_the_raw_table_has_its_columns_before_the_first_file(settings: Settings, query: Query) -> None:
    load_domain("collisions")
    assert [name for (name,) in query(COLUMNS, "crashes")] == [
        *CRASHES.columns,
        "_source_file",
        "_row_id",
        "_corrects_row_id",
        "_source_row",
        "_dlt_load_id",
    ]
    assert ("_row_id",) in query(COLUMNS, "rejected_lines")


def test_a_column_added_to_a_declaration_is_added_to_the_table(
    deliver: Deliver, query: Query, writers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    load_domain("collisions")
    monkeypatch.setattr(collisions, "RESOURCES", (replace(CRASHES, optional=(*CRASHES.optional, "weather")),))
    load_domain("collisions")
    assert ("weather",) in query(COLUMNS, "crashes")
    deliver("a.csv", crash(1))
    load_domain("collisions")
    assert writers == ["DuckDB"]


def test_an_alias_names_the_column_that_has_no_name(
    deliver: Deliver, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashes = replace(CRASHES, optional=("row_number",), aliases={**CRASHES.aliases, "": "row_number"})
    monkeypatch.setattr(collisions, "RESOURCES", (crashes,))
    deliver("a.csv", f"{crash(1)},17", header=f"{HEADER},")
    load_domain("collisions")
    assert query("select collision_id, row_number from raw_collisions.crashes") == [("1", "17")]


def test_dlt_takes_the_parsed_file_as_it_is(deliver: Deliver, writers: list[str]) -> None:
    deliver("a.csv", crash(1))
    deliver("b.csv", f"{crash(2)},rain", header=f"{HEADER},weather")
    deliver("c.csv", crash(3))
    deliver("d.csv", f"{crash(4)},x-1", header=f"{HEADER},_row_id")
    load_domain("collisions")
    deliver("a.csv", crash(5))
    load_domain("collisions")
    assert writers == ["DuckDB"] * 5


def test_the_warehouse_keeps_to_the_memory_of_the_settings(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def limit(connection: Warehouse) -> str:
        return connection.execute("select current_setting('memory_limit')").fetchone()[0]

    with connect(settings) as connection:
        assert limit(connection) == "1.8 GiB"
    with Loader.open(CRASHES, settings) as store:
        assert limit(store.warehouse) == "488.2 MiB"
    monkeypatch.setattr(loader, "MAX_MEMORY", "3GiB")
    with Loader.open(CRASHES, settings) as store:
        assert limit(store.warehouse) == "1.8 GiB"
