"""The taxi DAG under a real scheduler: months are downloaded, caught up with, and corrected."""

import json
import sqlite3
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import pytest

from samples.taxi import write_taxi
from tests.end_to_end.airflow import Airflow, airflow
from tests.end_to_end.conftest import Checkout
from tests.end_to_end.months import facts, months_before, serving_months

pytestmark = pytest.mark.long

ROWS = 2_000


MONTHS = months_before(datetime.now(UTC), 3)


@pytest.fixture(scope="module")
def offered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the server serves, with three months of generated trips."""
    folder = tmp_path_factory.mktemp("offered")
    write_taxi(folder, months=MONTHS, rows=ROWS, suffix=".csv.gz")
    return folder


@pytest.fixture(scope="module")
def taxi(checkout: Checkout, offered: Path) -> Iterator[Checkout]:
    """The checkout, with a server on loopback as the source of its months."""
    with serving_months(checkout, MONTHS[0], partial(SimpleHTTPRequestHandler, directory=offered)):
        yield checkout


@pytest.fixture(scope="module")
def running(taxi: Checkout) -> Iterator[Airflow]:
    """An Airflow that has caught up with three months."""
    with airflow(taxi, "taxi") as running:
        running.switch("taxi", on=True)
        running.until(lambda: running.ended("scheduled", 3))
        taxi.months = {month: len(facts(taxi, month)) for month in MONTHS}
        taxi.files = taxi.query(
            "select source_file, rows_read from marts.audit_taxi__row_counts order by all"
        )
        yield running


def test_three_months_come_by_catch_up(taxi: Checkout, running: Airflow) -> None:
    # In each file there are five lines of each of 15 kinds of defects.
    assert taxi.months == dict.fromkeys(MONTHS, ROWS - 75)
    assert taxi.files == [(f"yellow_tripdata_{month}.csv.gz", ROWS) for month in MONTHS]
    # Each run loaded its own month and no other.
    stages = taxi.query(
        "select stage, rows_in from raw_ops.stages where starts_with(stage, 'ingest') order by started_at limit 3"
    )
    assert stages == [(f"ingest_trips_{month}", ROWS) for month in MONTHS]


def test_a_corrected_month_is_backfilled_and_no_other_changes(
    taxi: Checkout, running: Airflow, offered: Path
) -> None:
    second = MONTHS[1]
    before = facts(taxi, second, others=True)
    # So many rows that not even the sum of tolls, which few trips pay, is lower by chance, which would stop the publish.
    mended = write_taxi(offered, months=[second], rows=3 * ROWS, suffix=".csv.gz", seed=2, defects={})
    days = ["--from-date", f"{second}-01", "--to-date", f"{second}-28", "--reprocess-behavior", "completed"]
    running.backfill("taxi", *days)
    running.until(lambda: running.ended("backfill", 1))
    assert len(facts(taxi, second)) == mended.clean == 3 * ROWS
    assert facts(taxi, second, others=True) == before != []


def test_a_bad_month_leaves_the_others_of_a_manual_run_to_be_published(
    taxi: Checkout, running: Airflow, offered: Path
) -> None:
    third = MONTHS[2]
    write_taxi(offered, months=["2020-01"], rows=500, suffix=".csv.gz", defects={})
    broken = offered / "yellow_tripdata_2020-02.csv.gz"
    write_taxi(offered, months=["2020-02"], rows=500, suffix=".csv.gz", header="renamed")
    text = subprocess.run(["gzip", "-dc", broken], capture_output=True, text=True, check=True).stdout
    subprocess.run(
        ["gzip", "-c"], input=text.replace("pickup_datetime", "when", 1), text=True, check=True,
        stdout=broken.open("w"),
    )  # fmt: skip
    months = ["2020-01", "2020-02", "2020-03", third]
    done = taxi.run("airflow", "run", "taxi", "--conf", json.dumps({"months": months}))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "taxi partial" in done.stdout
    assert "columns are missing: pickup_datetime" in done.stdout
    assert mapped_states(taxi, "download_trips") == ["success", "success", "skipped", "success"]
    assert mapped_states(taxi, "ingest_trips") == ["success", "failed", "skipped", "success"]
    assert len(facts(taxi, "2020-01")) == 500
    views = "select table_name from information_schema.tables where table_schema = 'monthly' order by all"
    names = [name for (name,) in taxi.query(views, taxi.settings.published("taxi"))]
    assert names == [f"yellow_taxi_{month.replace('-', '_')}" for month in ("2020-01", *MONTHS)]
    assert taxi.query("select status from raw_ops.runs order by started_at desc limit 1") == [("partial",)]


def test_a_run_without_a_month_that_is_out_is_skipped(taxi: Checkout, running: Airflow) -> None:
    before = taxi.settings.published("taxi").read_bytes()
    done = taxi.run("airflow", "run", "taxi", "--conf", json.dumps({"months": ["2020-03"]}))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "taxi skipped" in done.stdout
    assert taxi.settings.published("taxi").read_bytes() == before
    latest = "select status, error from raw_ops.runs order by started_at desc limit 1"
    assert taxi.query(latest) == [("skipped", None)]


def mapped_states(checkout: Checkout, task: str) -> list[str]:
    """Return the states of a mapped task in the latest manual run, in the order of its input."""
    with sqlite3.connect(checkout.settings.airflow_home / "airflow.db", timeout=30) as database:
        query = "select state from task_instance where run_id = ? and task_id = ? order by map_index"
        return [state for (state,) in database.execute(query, [checkout.runs()[-1][1], task])]
