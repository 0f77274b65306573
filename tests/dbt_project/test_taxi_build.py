"""Taxi: counts against an independent computation, and builds after a month is delivered again."""

import csv
import shutil
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from publishing.publish import publish
from quality.quarantine import describe, quarantine
from samples.delivery import Delivery
from samples.taxi import write_taxi
from tests.contents import differing
from tests.dbt_project.built import Built
from tests.forks import run_dbt
from tests.parsed import Parsed

pytestmark = pytest.mark.slow

MONTHS = ("2024-01", "2024-02", "2024-03")
AGGREGATES = ("agg_trips_by_day", "agg_trips_by_day_hour", "agg_trips_by_zone_hour")
WRITTEN = "select distinct pickup_month, _built_at from marts.{}"
#: Columns in which two builds of the same trips from other files differ.
EXCEPT = "_rules_hash _validated_at _built_at _source_built_at _dlt_load_id loaded_at"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory, project: Parsed) -> tuple[Built, Delivery]:
    """Build three months of generated trips once."""
    taxi = Built("taxi", tmp_path_factory.mktemp("taxi"), project)
    delivery = write_taxi(taxi.landing, months=MONTHS, rows=3_000)
    taxi.build()
    return taxi, delivery


@pytest.fixture
def taxi(generated: tuple[Built, Delivery], tmp_path: Path) -> Built:
    """A copy of the generated months, to which a test delivers more."""
    return generated[0].copied_to(tmp_path / "data")


def test_unit_tests_pass(generated: tuple[Built, Delivery]) -> None:
    generated[0].run_unit_tests()


def test_every_generated_row_meets_its_fate(generated: tuple[Built, Delivery]) -> None:
    taxi, delivery = generated
    taxi.assert_row_status(delivery)


def test_quarantine_report_says_how_a_month_is_corrected(
    generated: tuple[Built, Delivery], tmp_path: Path
) -> None:
    taxi, delivery = generated
    found = quarantine("taxi", taxi.settings, export=tmp_path / "bad.csv")
    assert (found.rows, found.rejected_lines) == (delivery.quarantined, delivery.rejected)
    assert "deliver the whole file of its month again" in describe(found, taxi.settings)


def test_marts_equal_an_independent_computation(generated: tuple[Built, Delivery]) -> None:
    taxi, delivery = generated
    facts = taxi.query("select count(*), sum(total_amount) from marts.fct_trips")
    days = taxi.query("select sum(trips + refunds), sum(revenue) from marts.agg_trips_by_day")
    assert facts == days == [_clean_totals(delivery)]


def test_published_file_has_a_view_per_month(taxi: Built) -> None:
    publish("taxi", taxi.settings)
    with duckdb.connect(str(taxi.settings.published("taxi")), read_only=True) as published:
        views = published.execute(
            "select table_name from information_schema.tables where table_schema = 'monthly'"
        )
        assert sorted(name for (name,) in views.fetchall()) == [
            "yellow_taxi_2024_01", "yellow_taxi_2024_02", "yellow_taxi_2024_03",
        ]  # fmt: skip
        (month,) = published.execute("select count(*) from monthly.yellow_taxi_2024_02").fetchone()
    assert [(month,)] == taxi.query("select count(*) from marts.fct_trips where file_month = '2024-02-01'")


def test_redelivered_month_changes_only_that_month(taxi: Built) -> None:
    others = "select * from marts.fct_trips where file_month <> '2024-02-01' order by all"
    before = taxi.query(others)
    assert before
    of_month = "from marts.fct_trips where file_month = '2024-02-01'"
    picked_up = set(taxi.query(f"select pickup_month {of_month}"))
    written = {mart: taxi.query(WRITTEN.format(mart)) for mart in AGGREGATES}
    # The same month as Parquet, with 1,000 trips fewer and no defects.
    (taxi.landing / "yellow_tripdata_2024-02.csv").unlink()
    corrected = write_taxi(taxi.landing, months=["2024-02"], rows=2_000, suffix=".parquet", defects={})
    taxi.build()
    assert taxi.query(others) == before
    assert taxi.query(f"select count(*) {of_month}") == [(corrected.clean,)] == [(2_000,)]
    # Aggregates are written only for the months in which old or new trips of the file were picked up.
    picked_up |= set(taxi.query(f"select pickup_month {of_month}"))
    for mart, months in written.items():
        rewritten = {month for month, _ in set(taxi.query(WRITTEN.format(mart))) ^ set(months)}
        assert rewritten == {month for (month,) in picked_up}, mart
        # Both deliveries of February's file have a trip of the first of March.
        assert {date(2024, 2, 1), date(2024, 3, 1)} == rewritten < {month for month, _ in months}
    files = taxi.query(
        "select source_file, rows_clean from marts.audit_taxi__row_counts where source_file like '%02.%'"
    )
    assert files == [("yellow_tripdata_2024-02.parquet", 2_000)]


def test_same_month_as_csv_and_as_parquet_gives_the_same_trips(taxi: Built) -> None:
    excluded = f"{EXCEPT} _row_id _source_file source_file trips_from"
    (taxi.landing / "yellow_tripdata_2024-02.csv").unlink()
    write_taxi(taxi.landing, months=["2024-02"], rows=2_000, suffix=".parquet", defects={})
    taxi.build()
    before = taxi.contents(excluded)
    (taxi.landing / "yellow_tripdata_2024-02.parquet").unlink()
    write_taxi(taxi.landing, months=["2024-02"], rows=2_000, suffix=".csv.gz", header="renamed", defects={})
    taxi.build("--write-json")
    assert differing(taxi.contents(excluded), before) == []
    taxi.assert_equal_to_full_refresh()


def test_trip_in_the_files_of_two_months_counts_once(taxi: Built) -> None:
    """The file of April has a trip of the last day of March that the file of March has as well."""
    before = taxi.query("select count(*), sum(total_amount) from marts.fct_trips")
    header, trip = _last_trip_of(taxi.landing / "yellow_tripdata_2024-03.csv", "2024-03-31")
    taxi.deliver("yellow_tripdata_2024-04.csv", header, trip)
    taxi.build()
    assert taxi.query("select count(*), sum(total_amount) from marts.fct_trips") == before
    row_status = "select row_status from clean.validated_taxi__trips where file_month = '2024-04-01'"
    assert taxi.query(row_status) == [("superseded",)]
    # The trip is removed from March's file, then added again, so that March is loaded after April.
    march = taxi.landing / "yellow_tripdata_2024-03.csv"
    whole = march.read_text()
    march.write_text("".join(line for line in whole.splitlines(keepends=True) if line.strip() != trip))
    taxi.build()
    assert taxi.query(row_status) == [("valid",)]
    assert taxi.query("select count(*), sum(total_amount) from marts.fct_trips") == before
    march.write_text(whole)
    taxi.build("--write-json")
    assert taxi.query(row_status) == [("superseded",)]
    assert taxi.query("select count(*), sum(total_amount) from marts.fct_trips") == before
    taxi.assert_equal_to_full_refresh()


def test_aggregates_follow_facts_that_an_earlier_run_changed(taxi: Built) -> None:
    """Change the facts without the aggregates, as a killed run does, also with an older `_built_at`."""
    tips = "select pickup_month, sum(tips) from marts.agg_trips_by_day group by all order by all"
    before = taxi.query(tips)
    for change in (
        "update marts.fct_trips set tip_amount = tip_amount + 1, _built_at = timestamp '2000-01-01' where {}",
        "delete from marts.fct_trips where {}",
    ):
        with duckdb.connect(str(taxi.settings.warehouse)) as warehouse:
            warehouse.execute(change.format("pickup_month = date '2024-01-01'"))
        run_dbt(["run", "--select", "agg_trips_by_day"], taxi.settings)
        expected = "select pickup_month, sum(tip_amount) from marts.fct_trips group by all order by all"
        assert taxi.query(tips) == taxi.query(expected) != before


def test_the_real_months(tmp_path: Path, project: Parsed, shared_data: Path) -> None:
    taxi = Built("taxi", tmp_path, project)
    taxi.landing.mkdir(parents=True)
    for path in (shared_data / "taxi").glob("yellow_tripdata_*.csv"):
        shutil.copy(path, taxi.landing)
    taxi.build()
    accounting = (
        "source_file[-11:-5], rows_read, rows_rejected, rows_quarantined, rows_superseded, rows_clean"
    )
    assert taxi.query(f"select {accounting} from marts.audit_taxi__row_counts order by all") == [
        ("2019-01", 10_000, 0, 8, 0, 9_992),
        ("2019-02", 10_000, 0, 10, 0, 9_990),
        ("2020-04", 10_000, 0, 6, 0, 9_994),
    ]
    assert taxi.by_rule("trips") == {"pickup_is_before_dropoff": 24}
    refunds = "select strftime(file_month, '%Y-%m'), count(*) from marts.fct_trips where is_refund group by all order by all"
    assert taxi.query(refunds) == _refunds_of(shared_data / "taxi")
    # 803 trips have no vendor, rate code and payment type; one of them takes no time.
    unknown = "select count(*) from marts.fct_trips where vendor_id is null and rate_code_id = 99 and payment_type_id = 5"
    assert taxi.query(unknown) == [(802,)]


def _clean_totals(delivery: Delivery) -> tuple[int, Decimal]:
    """Return the number of valid lines and the sum of their totals, computed from the files with pandas."""
    trips = pd.concat([_lines_of(path) for path in delivery.files]).drop_duplicates()
    pickup, dropoff = (
        pd.to_datetime(trips[f"tpep_{which}_datetime"], format="%Y-%m-%d %H:%M:%S", errors="coerce")
        for which in ("pickup", "dropoff")
    )
    month = pd.to_datetime(trips["month"])
    numbers = trips[["trip_distance", "fare_amount", "total_amount"]].apply(pd.to_numeric, errors="coerce")
    valid = (
        (pickup < dropoff)
        & (dropoff - pickup < pd.Timedelta(hours=24))
        & (pickup >= month - pd.Timedelta(days=1))
        & (pickup < month + pd.offsets.MonthBegin(1) + pd.Timedelta(days=1))
        & numbers["trip_distance"].between(0, 500)
        & numbers["fare_amount"].between(-10_000, 10_000)
        & numbers["total_amount"].between(-10_000, 10_000)
        & trips["VendorID"].isin(["", "1", "2"])
        & trips["RatecodeID"].isin(["", "1", "2", "3", "4", "5", "6", "99"])
        & trips["payment_type"].isin(["", "1", "2", "3", "4"])
    )
    return int(valid.sum()), sum(map(Decimal, trips.loc[valid, "total_amount"]))


def _lines_of(path: Path) -> pd.DataFrame:
    """Return the lines that can be split, as texts, with the month of the file's name."""
    header, *lines = path.read_text().splitlines()
    cells = [line.split(",") for line in lines if '"' not in line and line.count(",") == header.count(",")]
    return pd.DataFrame(cells, columns=header.split(",")).assign(month=path.stem[-7:])


def _last_trip_of(path: Path, day: str) -> tuple[str, str]:
    """Return the header and the last valid line of a day."""
    header, *lines = path.read_text().splitlines()
    trips = [line for line in lines if f",{day} 1" in line and line.split(",")[0] in ("1", "2")]
    return header, trips[-1]


def _refunds_of(folder: Path) -> list[tuple[str, int]]:
    """Return the number of valid trips with a negative fare or total per month."""
    counts = Counter()
    for path in folder.glob("yellow_tripdata_*.csv"):
        with path.open(newline="") as file:
            for trip in csv.DictReader(file):
                negative = min(float(trip["fare_amount"]), float(trip["total_amount"])) < 0
                counts[path.stem[-7:]] += negative and trip["pickup_datetime"] < trip["dropoff_datetime"]
    return sorted(counts.items())
