"""The same pipeline without Airflow, and what a death in the middle of dbt leaves behind."""

import signal

import pytest

from tests.contents import differing
from tests.end_to_end.conftest import Checkout, accounting, loads
from transformation.dbt import selectors

pytestmark = pytest.mark.slow

DBT = "dbt.adapters.duckdb.connections:DuckDBConnectionManager.execute"


@pytest.fixture(scope="module")
def sampled(checkout: Checkout) -> Checkout:
    """The checkout with sample input of known defects, once through the whole pipeline."""
    made = checkout.run("samples", "collisions", "--rows", "3000", "--files", "2", "--json")
    assert made.returncode == 0, made.stderr
    checkout.made = loads(made.stdout)
    done = checkout.run("run", "collisions", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return checkout


def test_the_defects_of_the_samples_are_found_exactly(sampled: Checkout) -> None:
    counts = accounting(sampled)
    made = sampled.made
    assert counts == {
        "rows_read": made["lines"],
        "rows_rejected": made["rejected"],
        "rows_quarantined": made["quarantined"],
        "rows_superseded": made["superseded"],
        "rows_clean": made["clean"],
    }


def test_the_run_and_each_of_its_stages_have_left_their_metrics(sampled: Checkout) -> None:
    made = sampled.made
    failed = made["rejected"] + made["quarantined"]
    runs = sampled.query("select status, rows_in, rows_failed, error from raw_ops.runs")
    assert runs == [("success", made["lines"], failed, None)]
    stages = sampled.query(
        "select stage, status, rows_in, rows_failed from raw_ops.stages order by started_at"
    )
    assert stages == [
        ("ingest_crashes", "success", made["lines"], made["rejected"]),
        ("find_changes", "success", None, None),
        ("build", "success", None, None),
        ("publish", "success", made["lines"], made["quarantined"]),
    ]


@pytest.mark.parametrize("call", [60, *(pytest.param(call, marks=pytest.mark.long) for call in (30, 120))])
def test_a_killed_build_is_completed_by_the_next_run(sampled: Checkout, call: int) -> None:
    before = sampled.contents()
    published = sampled.settings.published("collisions").read_bytes()
    select = ("--select", *selectors("collisions"))
    killed = sampled.run_dbt_to_death(DBT, call, "build", "--full-refresh", *select)
    assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
    assert sampled.settings.published("collisions").read_bytes() == published
    done = sampled.run("run", "collisions")
    assert done.returncode == 0, done.stdout + done.stderr
    assert differing(sampled.contents(), before) == []
