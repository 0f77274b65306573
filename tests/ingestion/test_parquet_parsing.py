"""Values of Parquet files as texts: a time says what a clock in its zone showed."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingestion.formats.parquet_parser import read_rows
from ingestion.formats.parsed_file import RowShape

TIMES = [datetime(2024, 1, 1, 5, tzinfo=UTC), datetime(2024, 7, 1, 3, 59, 59, 123000, tzinfo=UTC), None]
# The hour that New York's clocks showed twice.
TWICE = [datetime(2024, 11, 3, 5, 30, tzinfo=UTC), datetime(2024, 11, 3, 6, 30, tzinfo=UTC)]


def texts(folder: Path, values: list[datetime | None], kind: pa.DataType) -> list[str | None]:
    """What a file with a column of times has in its raw table."""
    source, parquet = folder / "source.parquet", folder / "rows.parquet"
    pq.write_table(pa.table({"moment": pa.array(values, kind)}), source)
    read_rows(source, RowShape(["moment"], {}, "id"), parquet=parquet)
    return [text for (text,) in duckdb.sql(f"select moment from '{parquet}' order by _source_row").fetchall()]


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("America/New_York", ["2024-01-01 00:00:00-05:00", "2024-06-30 23:59:59.123-04:00", None]),
        ("+05:30", ["2024-01-01 10:30:00+05:30", "2024-07-01 09:29:59.123+05:30", None]),
        ("-03:00", ["2024-01-01 02:00:00-03:00", "2024-07-01 00:59:59.123-03:00", None]),
        ("UTC", ["2024-01-01 05:00:00+00", "2024-07-01 03:59:59.123+00", None]),
    ],
)
@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_a_time_with_a_zone_keeps_its_clock_and_offset(
    tmp_path: Path, unit: str, zone: str, expected: list[str | None]
) -> None:
    assert texts(tmp_path, TIMES, pa.timestamp(unit, tz=zone)) == expected


def test_the_hour_that_comes_twice_stays_two_times(tmp_path: Path) -> None:
    found = texts(tmp_path, TWICE, pa.timestamp("us", tz="America/New_York"))
    assert found == ["2024-11-03 01:30:00-04:00", "2024-11-03 01:30:00-05:00"]


def test_a_time_without_a_zone_has_no_offset(tmp_path: Path) -> None:
    naive = [time and time.replace(tzinfo=None) for time in TIMES]
    assert texts(tmp_path, naive, pa.timestamp("us")) == [
        "2024-01-01 05:00:00",
        "2024-07-01 03:59:59.123",
        None,
    ]
