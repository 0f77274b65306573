"""The ecommerce DAG under a real scheduler: failures, what is published in spite of them, and metrics."""

import csv
import json
from collections.abc import Iterator

import pytest

from publishing.lineage import published_lineage
from tests.end_to_end.airflow import airflow
from tests.end_to_end.conftest import Checkout, loads

pytestmark = pytest.mark.slow

ENTITIES = ("orders", "customers", "products")
NAMES = ("read", "rejected", "quarantined", "superseded", "clean")
STAGES = {*(f"ingest_{entity}" for entity in ENTITIES), "find_changes"}
STAGES |= {"build", "test", "publish", "reports"}


@pytest.fixture(scope="module")
def ran(checkout: Checkout) -> Iterator[Checkout]:
    """The checkout after one run on sample input of known defects, in an Airflow that stays."""
    made = checkout.run("samples", "ecommerce", "--orders", "2000", "--json")
    assert made.returncode == 0, made.stderr
    checkout.made = loads(made.stdout)
    with airflow(checkout, "ecommerce"):
        done = checkout.run("airflow", "run", "ecommerce")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "ecommerce success" in done.stdout
        checkout.accounts = accounts(checkout)
        checkout.rows_published = checkout.query(
            "select sum(estimated_size)::int from duckdb_tables() where schema_name = 'marts'",
            checkout.settings.published("ecommerce"),
        )[0][0]
        yield checkout


def accounts(checkout: Checkout) -> dict[str, int]:
    """Return the sums of the published accounting mart."""
    sums = ", ".join(f"sum(rows_{name})::int" for name in NAMES)
    path = checkout.settings.published("ecommerce")
    (row,) = checkout.query(f"select {sums} from marts.audit_ecommerce__row_counts", path)
    return dict(zip(NAMES, row, strict=True))


def stages(checkout: Checkout, run_id: str, columns: str) -> dict[str, tuple]:
    found = checkout.query(f"select stage, {columns} from raw_ops.stages where run_id = '{run_id}'")
    assert len(found) == len({stage for stage, *_ in found})
    return {stage: tuple(values) for stage, *values in found}


def last_run(checkout: Checkout, columns: str) -> tuple:
    return checkout.query(f"select {columns} from raw_ops.runs order by started_at desc limit 1")[0]


def last_stages(checkout: Checkout, columns: str) -> dict[str, tuple]:
    return stages(checkout, last_run(checkout, "run_id")[0], columns)


def test_the_defects_of_the_samples_are_found_exactly(ran: Checkout) -> None:
    assert ran.accounts == {"read": ran.made["lines"]} | {name: ran.made[name] for name in NAMES[1:]}
    assert set(ran.task_tries(ran.runs()[0][1]).values()) == {("success", 1)}


def test_the_reports_hold_what_is_published(ran: Checkout) -> None:
    files = {path.name.rpartition("_")[0]: path for path in ran.settings.reports("ecommerce").glob("*.csv")}
    assert files.keys() == {"daily_order_revenue", "customer_summary"}
    for name, path in files.items():
        with path.open(newline="") as file:
            rows = len(list(csv.DictReader(file)))
        published = f"select count(*) from marts.agg_{name}"
        assert ran.query(published, ran.settings.published("ecommerce")) == [(rows,)]


def test_the_published_version_has_the_lineage_of_its_build(ran: Checkout) -> None:
    lineage = published_lineage("ecommerce", ran.settings)
    assert lineage.inputs("marts.fct_orders.revenue") == (
        "landing/ecommerce/customers",
        "landing/ecommerce/orders",
        "landing/ecommerce/products",
    )


def test_the_run_and_each_of_its_stages_have_left_their_metrics(ran: Checkout) -> None:
    made = ran.made
    run_id = ran.runs()[0][1]
    columns = "domain, run_id, status, rows_in, rows_out, rows_failed, error"
    failed = made["rejected"] + made["quarantined"]
    assert ran.query(f"select {columns} from raw_ops.runs where run_id = '{run_id}'") == [
        ("ecommerce", run_id, "success", made["lines"], ran.rows_published, failed, None)
    ]
    found = stages(ran, run_id, "status, rows_in, rows_failed, tries")
    assert found.keys() == STAGES
    assert {status for status, *_ in found.values()} == {"success"}
    for entity in ENTITIES:
        counts = made["entities"][entity]
        assert found[f"ingest_{entity}"] == ("success", counts["lines"], counts["rejected"], 1)
    assert found["publish"] == ("success", made["lines"], made["quarantined"], 1)
    assert found["build"] == found["test"] == found["reports"] == ("success", None, None, 1)
    wrong = "select stage from raw_ops.stages where ended_at < started_at or seconds is null"
    assert ran.query(wrong) == []


def test_reports_that_fail_leave_the_run_green_and_partial(ran: Checkout) -> None:
    reports = ran.settings.reports("ecommerce")
    kept = reports.rename(reports.with_name("kept"))
    reports.write_text("in the way")
    before = ran.settings.published("ecommerce").stat().st_mtime_ns
    orders = ["--only", "orders", "--orders", "100", "--first-id", "400000", "--name", "more"]
    orders += ["--defects", "none"]
    assert ran.run("samples", "ecommerce", *orders).returncode == 0
    done = ran.run("airflow", "run", "ecommerce")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "ecommerce partial" in done.stdout
    assert "write_reports failed" in done.stdout
    assert ran.settings.published("ecommerce").stat().st_mtime_ns > before
    assert ran.runs()[-1][0] == "success"
    states = ran.task_tries()
    assert states.pop("write_reports") == ("failed", 2)
    # No customer or product was new.
    unchanged = {task.rpartition(".")[2] for task, state in states.items() if state == ("skipped", 0)}
    assert unchanged >= {"stg_ecommerce__customers", "validated_ecommerce__customers", "dim_products"}
    assert {task for task in states if task.endswith("orders")} & unchanged == set()
    assert {*states.values()} == {("success", 1), ("skipped", 0)}
    status, rows_in, rows_out, error = last_run(ran, "status, rows_in, rows_out, error")
    assert (status, rows_in) == ("partial", 100)
    assert rows_out > 0
    assert "could not be written" in error
    found = last_stages(ran, "status, tries, error")
    assert found.pop("reports") == ("failed", 2, error)
    assert {stage: status for stage, (status, *_) in found.items()} == dict.fromkeys(
        STAGES - {"reports"}, "success"
    )
    # The same from a shell, which has nothing to build and to publish any more, and writes the reports that are left.
    before = ran.settings.published("ecommerce").stat().st_mtime_ns
    done = ran.run("run", "ecommerce")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "could not be written" in done.stderr
    assert last_run(ran, "status, starts_with(run_id, 'shell__')") == ("partial", True)
    assert last_stages(ran, "status")["reports"] == ("failed",)
    reports.unlink()
    kept.rename(reports)
    done = ran.run("run", "ecommerce")
    assert done.returncode == 0, done.stdout + done.stderr
    assert last_stages(ran, "status") == dict.fromkeys(
        {*(f"ingest_{entity}" for entity in ENTITIES), "find_changes", "reports"}, ("success",)
    )
    done = ran.run("run", "ecommerce")
    assert "ecommerce: no new input; all of it is published" in done.stdout
    assert last_run(ran, "status, error") == ("skipped", None)
    assert "reports" not in last_stages(ran, "status")
    assert ran.settings.published("ecommerce").stat().st_mtime_ns == before


@pytest.mark.long
def test_too_much_quarantine_is_not_published_until_somebody_accepts_it(ran: Checkout) -> None:
    published = ran.settings.published("ecommerce")
    before = published.read_bytes()
    orders = ["--only", "orders", "--orders", "1000", "--first-id", "500000", "--name", "bad"]
    made = ran.run("samples", "ecommerce", *orders, "--defects", "bad_quantity=900", "--json")
    assert made.returncode == 0, made.stderr
    done = ran.run("airflow", "run", "ecommerce")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "rows read are in quarantine" in done.stdout
    assert published.read_bytes() == before
    states = ran.task_tries()
    assert states["publish"] == ("failed", 1)
    assert states["write_reports"][0] == states["published_marker"][0] == "upstream_failed"
    assert states["record_run"] == ("success", 1)
    status, rows_in, rows_out, error = last_run(ran, "status, rows_in, rows_out, error")
    assert (status, rows_in, rows_out) == ("failed", 1000, None)
    assert "in quarantine" in error

    done = ran.run("airflow", "run", "ecommerce", "--conf", json.dumps({"force_publish": True}))
    assert done.returncode == 0, done.stdout + done.stderr
    assert published.read_bytes() != before
    assert last_run(ran, "status, error") == ("success", None)
    quarantined = ran.made["quarantined"] + loads(made.stdout)["quarantined"]
    rows_failed, note = last_stages(ran, "rows_failed, note")["publish"]
    assert rows_failed == quarantined
    assert note.startswith("accepted by hand")
    noted = "select stage from raw_ops.stages where note is not null and stage <> 'find_changes'"
    assert ran.query(noted) == [("publish",)]
    assert list(ran.settings.run_logs("ecommerce").iterdir()) == []


@pytest.mark.long
def test_preview_runs_beside_it(ran: Checkout) -> None:
    done = ran.run("airflow", "run", "preview", "--conf", '{"domains": ["ecommerce"]}')
    assert done.returncode == 0, done.stdout + done.stderr
    logs = [path.read_text() for path in ran.settings.airflow_home.glob("logs/dag_id=preview/**/*.log")]
    assert any("The change affects no model." in log for log in logs)
