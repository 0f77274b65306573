"""Scheduled runs of the taxi DAG against a server that is as late as the commission's.

The server answers 403 for what is not out, and its day is that of the run that asks: the second of a month, at six. So
three runs that catch up are three months of a scheduled installation.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import pytest

from samples.taxi import write_taxi
from tests.end_to_end.airflow import Airflow, airflow
from tests.end_to_end.conftest import Checkout
from tests.end_to_end.months import facts, months_before, serving_months

pytestmark = pytest.mark.long

ROWS = 500
FIRST, SECOND, THIRD = MONTHS = months_before(datetime.now(UTC), 3)
# Which edition of a month is out, in the run of which month's end: the first month is a month late and then published
# anew, the second comes out with the third run, the third is not out.
OUT = {FIRST: {SECOND: "first", THIRD: "second"}, SECOND: {THIRD: "first"}, THIRD: {}}


@pytest.fixture(scope="module")
def editions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for each edition of the months."""
    folder = tmp_path_factory.mktemp("editions")
    for name, rows in (("first", ROWS), ("second", 2 * ROWS)):
        write_taxi(folder / name, months=MONTHS, rows=rows, suffix=".csv.gz", seed=rows, defects={})
    return folder


class Commission:
    """The server, and what was asked of it: the run's month, the method, the month and the status."""

    def __init__(self, editions: Path, airflow_home: Path) -> None:
        self.asked: list[tuple[str, str, str, int]] = []
        self._editions = editions
        self._database = airflow_home / "airflow.db"

    def edition(self, month: str) -> Path | None:
        """Return the folder of the edition that is out for the run that is going on."""
        name = OUT.get(month, {}).get(self.run_month())
        return self._editions / name if name else None

    def run_month(self) -> str:
        """Return the month whose end the running scheduled run is for: its interval began on the second of that month."""
        query = "select data_interval_start from dag_run where dag_id = 'taxi' and state = 'running'"
        with closing(sqlite3.connect(self._database, timeout=30)) as database:
            ((begun,),) = database.execute(query).fetchall()
        return begun[:7]

    def handler(commission) -> type[SimpleHTTPRequestHandler]:  # noqa: N805
        """Return the class that answers requests."""

        class Handler(SimpleHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(super().do_GET)

            def do_HEAD(self) -> None:
                self._answer(super().do_HEAD)

            def _answer(self, send: object) -> None:
                month = self.path.rpartition("_")[2].removesuffix(".csv.gz")
                folder = commission.edition(month)
                status = 200 if folder else 403
                commission.asked.append((commission.run_month(), self.command, month, status))
                if folder:
                    self.directory = str(folder)
                    send()
                else:
                    self.send_error(403)

        return Handler


@pytest.fixture(scope="module")
def commission(checkout: Checkout, editions: Path) -> Iterator[Commission]:
    commission = Commission(editions, checkout.settings.airflow_home)
    with serving_months(checkout, FIRST, commission.handler()):
        yield commission


@pytest.fixture(scope="module")
def running(checkout: Checkout, commission: Commission) -> Iterator[Airflow]:
    """An Airflow whose three scheduled runs have ended."""
    with airflow(checkout, "taxi") as running:
        running.switch("taxi", on=True)
        running.until(lambda: running.ended("scheduled", 3))
        yield running


def test_each_month_arrives_once_it_is_out(
    checkout: Checkout, commission: Commission, running: Airflow
) -> None:
    assert [len(facts(checkout, month)) for month in MONTHS] == [2 * ROWS, ROWS, 0]
    loads = "select run_id, stage, rows_in from raw_ops.stages where starts_with(stage, 'ingest') order by started_at"
    ids = [run for _, run in checkout.runs("scheduled")]
    assert checkout.query(loads) == [
        (ids[1], f"ingest_trips_{FIRST}", ROWS),
        (ids[2], f"ingest_trips_{FIRST}", 2 * ROWS),
        (ids[2], f"ingest_trips_{SECOND}", ROWS),
    ]


def test_a_month_that_has_not_changed_is_not_fetched_again(commission: Commission, running: Airflow) -> None:
    fetched = [
        (run, month) for run, method, month, status in commission.asked if (method, status) == ("GET", 200)
    ]
    assert sorted(set(fetched)) == sorted(fetched)
    assert sorted(fetched) == [(SECOND, FIRST), (THIRD, FIRST), (THIRD, SECOND)]


def test_no_run_fails_for_a_month_that_is_not_out(checkout: Checkout, running: Airflow) -> None:
    assert {state for state, _ in checkout.runs("scheduled")} == {"success"}
    statuses = "select status, error from raw_ops.runs order by started_at"
    assert checkout.query(statuses) == [("skipped", None), ("success", None), ("success", None)]
    (first, *_) = checkout.runs("scheduled")
    tries = checkout.task_tries(first[1])
    assert tries["download_trips"] == ("skipped", 1)
