"""The raw tables themselves: their columns, how dlt takes a file, and the memory that is needed."""

from dataclasses import replace
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from dlt.destinations.impl.duckdb.duck import DuckDbCopyJob

from ingestion.load import load_domain
from ingestion.loader import loader, pipeline
from ingestion.loader.loader import RawLoader
from ingestion.sources import collisions
from ingestion.sources.collisions import CRASHES
from settings import Settings
from tests.ingestion.conftest import Deliver, Query, crash
from warehouse import Warehouse, connect

COLUMNS = (
    "select column_name from duckdb_columns() "
    "where schema_name = 'raw_collisions' and table_name = ? order by column_index"
)
HEADER = ",".join(CRASHES.columns)


@pytest.fixture
def writers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which program wrote each Parquet file that comes to be copied."""
    found: list[str] = []
    run = DuckDbCopyJob.run

    def noting(job: Any) -> None:
        metadata = pq.ParquetFile(job._file_path).metadata
        if metadata.num_rows:
            found.append(metadata.created_by.split()[0])
        run(job)

    monkeypatch.setattr(DuckDbCopyJob, "run", noting)
    return found


@pytest.fixture
def old_tables(monkeypatch: pytest.MonkeyPatch, deliver: Deliver, settings: Settings) -> None:
    """A warehouse with one file, from a time before rows could be replaced."""

    def without(feed: Any) -> Any:
        return no_rows(feed).drop_columns("_corrects_row_id")

    no_rows = pipeline.no_rows
    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "no_rows", without)
        deliver("a.csv", crash(1), "cut,off")
        load_domain("collisions")
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute("update raw_collisions.rejected_lines set _row_id = null")


def test_the_raw_table_has_its_columns_before_the_first_file(settings: Settings, query: Query) -> None:
    load_domain("collisions")
    assert [name for (name,) in query(COLUMNS, "crashes")] == [
        *CRASHES.columns,
        "_source_file",
        "_dlt_load_id",
        "_row_id",
        "_corrects_row_id",
        "_source_row",
    ]
    assert ("_row_id",) in query(COLUMNS, "rejected_lines")


def test_older_tables_get_the_newer_columns(old_tables: None, query: Query) -> None:
    assert query(COLUMNS, "crashes")[-2:] == [("_row_id",), ("_source_row",)]
    load_domain("collisions")
    assert query(COLUMNS, "crashes")[-1] == ("_corrects_row_id",)
    ((prefix,),) = query("select left(_row_id, 16) from raw_collisions.crashes")
    assert query("select _row_id from raw_collisions.rejected_lines") == [(f"{prefix}-L3",)]


def test_a_column_that_a_feed_learns_is_there_before_a_file_has_it(
    settings: Settings, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_domain("collisions")
    monkeypatch.setattr(collisions, "FEEDS", (replace(CRASHES, optional=(*CRASHES.optional, "weather")),))
    load_domain("collisions")
    assert ("weather",) in query(COLUMNS, "crashes")


def test_dlt_takes_the_parsed_file_as_it_is(deliver: Deliver, writers: list[str]) -> None:
    deliver("a.csv", crash(1))
    deliver("b.csv", f"{crash(2)},rain", header=f"{HEADER},weather")
    deliver("c.csv", crash(3))
    deliver("d.csv", f"{crash(4)},x-1", header=f"{HEADER},_row_id")
    load_domain("collisions")
    deliver("a.csv", crash(5))
    load_domain("collisions")
    assert writers == ["DuckDB"] * 5


def test_dlt_takes_it_into_older_tables_too(old_tables: None, deliver: Deliver, writers: list[str]) -> None:
    deliver("b.csv", crash(2))
    load_domain("collisions")
    assert writers == ["DuckDB"]


def test_the_warehouse_keeps_to_the_memory_of_the_settings(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def limit(connection: Warehouse) -> str:
        return connection.execute("select current_setting('memory_limit')").fetchone()[0]

    with connect(settings) as connection:
        assert limit(connection) == "1.8 GiB"
    with RawLoader.open(CRASHES, settings) as store:
        assert limit(store._warehouse) == "488.2 MiB"
    monkeypatch.setattr(loader, "MOST_MEMORY", "3GiB")
    with RawLoader.open(CRASHES, settings) as store:
        assert limit(store._warehouse) == "1.8 GiB"
