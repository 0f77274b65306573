"""The collisions DAG under a real scheduler, started as by `make run`, and then as by `make airflow`.

The tests share one checkout; each leaves the data as it was.
"""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import httpx
import pytest

from bench.browser import chromium, launched
from local_airflow.configuration import USERNAME, credentials
from tests.contents import differing
from tests.end_to_end.airflow import Airflow, airflow
from tests.end_to_end.conftest import Checkout, Delivered, accounting
from tests.receivers import Webhook, webhook
from transformation.build_owner import record_build_owner

pytestmark = pytest.mark.long

MODEL = "dbt_project/models/marts/collisions/agg_collisions_by_month_borough.sql"
TASK = "models.marts.collisions.agg_collisions_by_month_borough"


@pytest.fixture(scope="module")
def hook() -> Iterator[Webhook]:
    with webhook() as hook:
        yield hook


@pytest.fixture(scope="module")
def ran(checkout: Checkout, delivered: Delivered, hook: Webhook) -> Checkout:
    """The checkout after one run that exceeded its deadline."""
    checkout.variables = hook.variables()
    rules = checkout.path / "observability" / "health" / "alerts.yml"
    promised = rules.read_text()
    assert "deadline_hours: 6 " in promised
    rules.write_text(promised.replace("deadline_hours: 6 ", "deadline_hours: 0.001 "))
    done = checkout.run("airflow", "run", "collisions")
    rules.write_text(promised)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "collisions success" in done.stdout
    checkout.told = list(hook.texts)
    checkout.left = _processes(checkout)
    return checkout


@pytest.fixture(scope="module")
def running(ran: Checkout) -> Iterator[Airflow]:
    """An Airflow that stays for the other runs."""
    with airflow(ran, "collisions") as running:
        yield running


def test_what_was_delivered_arrives_and_every_row_is_accounted_for(
    ran: Checkout, delivered: Delivered
) -> None:
    loaded = delivered.lines - delivered.rejected
    assert ran.query("select count(*) from raw_collisions.crashes") == [(loaded,)]
    assert ran.query("select count(*) from raw_collisions.rejected_lines") == [(delivered.rejected,)]
    counts = accounting(ran)
    assert (counts["rows_read"], counts["rows_rejected"]) == (delivered.lines, delivered.rejected)
    assert counts["rows_read"] == sum(counts.values()) - counts["rows_read"]
    assert ran.query("select count(*) from marts.fct_collisions", ran.settings.published("collisions")) == [
        (counts["rows_clean"],)
    ]
    states = ran.task_tries(first_run(ran))
    assert {"ingest_crashes", "test_data", "publish", "notify", TASK} <= states.keys()
    assert set(states.values()) == {("success", 1)}


def first_run(checkout: Checkout) -> str:
    return checkout.runs()[0][1]


def test_a_missed_deadline_is_reported_once(ran: Checkout) -> None:
    assert ran.told == [
        "collisions alert: deadline_hours (dev)\na run is not finished 0.001 hours after it was queued"
    ]


def test_dbt_does_not_parse_again_what_another_command_has_parsed(ran: Checkout) -> None:
    logs = {
        task: "".join(
            path.read_text()
            for path in ran.settings.airflow_home.glob(f"logs/**/*{first_run(ran)}/*{task}/*.log")
        )
        for task in ("task_id=dbt_producer_watcher", "task_id=test_data")
    }
    assert {task: "Registered adapter" in log for task, log in logs.items()} == dict.fromkeys(logs, True)
    assert [task for task, log in logs.items() if "Unable to do partial parsing" in log] == []


def test_nothing_is_left_running(ran: Checkout) -> None:
    assert ran.left == []


def _processes(checkout: Checkout) -> list[str]:
    """Return the processes with the data folder of the checkout."""
    return [
        path.parent.name
        for path in Path("/proc").glob("[0-9]*/environ")
        if _environ(path).find(f"SLUICE_DATA_DIR={checkout.settings.data_dir}\0".encode()) >= 0
    ]


def _environ(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # ended meanwhile
        return b""


def test_the_page_of_a_fact_shows_what_writes_and_what_reads_it(running: Airflow) -> None:
    if not chromium():
        pytest.skip("there is no Chromium here: apt-get install chromium")
    found = running.client.call("GET", "/assets", params={"name_pattern": "fct_collisions"})["assets"]
    (fact,) = [asset["id"] for asset in found if asset["name"] == "fct_collisions"]
    with launched() as browser:
        page = browser.new_page()
        running.log_in(page)
        page.goto(f"{running.client.url}/assets/{fact}")
        page.get_by_text("Road safety team").wait_for()
        for kind, task in (("1 Task", "models.marts.collisions.fct_collisions"), ("2 Tasks", "publish")):
            page.get_by_role("button", name=kind, exact=True).click()
            page.get_by_role("link", name=f"collisions.{task}", exact=True).wait_for()
            page.keyboard.press("Escape")


def test_the_documentation_of_the_models_is_for_who_is_logged_in(running: Airflow) -> None:
    url = running.client.url
    pages = ["dbt_docs_index.html", "dbt_docs", "manifest.json", "catalog.json"]
    with httpx.Client(base_url=f"{url}/cosmos/sluice/") as client:
        assert {client.get(page).status_code for page in pages} == {401}
        assert client.get("manifest.json", headers={"Authorization": "Bearer no"}).status_code == 401
        sent = client.get("dbt_docs_index.html", headers={"Accept": "text/html"})
        assert sent.status_code == 307
        assert sent.headers["location"].startswith("/auth/login")
        login = {"username": USERNAME, "password": credentials(running.checkout.settings)["password"]}
        token = httpx.post(f"{url}/auth/token", json=login).json()["access_token"]
        found = client.get("manifest.json", headers={"Authorization": f"Bearer {token}"})
        assert found.json()["metadata"]["project_name"] == "sluice"
        client.cookies.set("_token", token)
        assert client.get("dbt_docs_index.html").status_code == 200


def test_a_failing_data_test_ends_the_run_red_with_nothing_published(ran: Checkout, running: Airflow) -> None:
    published = ran.settings.published("collisions")
    before, built_before = published.read_bytes(), ran.contents()
    test = ran.path / "dbt_project/tests/collisions/assert_nothing.sql"
    test.write_text("{{ config(tags=['collisions']) }}\nselect 1 as one\n")
    running.switch("collisions", on=False)
    done = ran.run("airflow", "run", "collisions")
    test.unlink()
    assert done.returncode == 2, done.stdout + done.stderr
    assert f"Airflow runs already, on {running.client.url}" in done.stdout
    assert "assert_nothing" in done.stdout
    # It was unpaused for the run alone.
    assert [dag["is_paused"] for dag in running.client.dags() if dag["dag_id"] == "collisions"] == [True]
    states = ran.task_tries()
    assert states["test_data"] == ("failed", 1)
    assert states["publish"][0] == states["published_marker"][0] == "upstream_failed"
    # No model was new.
    assert states[TASK] == states["dbt_producer_watcher"] == ("skipped", 0)
    assert published.read_bytes() == before
    # What was built a second time is the same, row for row.
    assert differing(ran.contents(), built_before) == []
    ((status, error),) = ran.query("select status, error from raw_ops.runs order by started_at desc limit 1")
    assert status == "failed"
    assert "assert_nothing" in error


def test_a_model_that_fails_once_is_retried_by_its_own_task_alone(ran: Checkout, running: Airflow) -> None:
    published = ran.settings.published("collisions")
    before, built_before = ran.contents(published), ran.contents()
    model, gate = ran.path / MODEL, ran.path / "gate.txt"
    original = model.read_text()
    # Fails until the file is there, which it is from the moment that the task waits for its retry.
    closed = f"from read_csv('{gate}', header = false)"
    broken = f'{{% do run_query("{closed}") if execute %}}\n{original}'
    model.write_text(broken)
    run = ran.start("airflow", "run", "collisions")
    try:
        deadline = time.monotonic() + 600
        while run.poll() is None and not gate.exists() and time.monotonic() < deadline:
            if ran.task_tries().get(TASK, ("",))[0] == "up_for_retry":
                gate.write_text("open")
            time.sleep(0.2)
        assert run.wait(timeout=600) == 0, (ran.path / "started.log").read_text()
    finally:
        run.terminate()
        model.write_text(original)
    states = ran.task_tries()
    assert states.pop(TASK) == ("success", 2)
    assert states.pop("dbt_producer_watcher") == ("failed", 1)
    assert set(states.values()) == {("success", 1), ("skipped", 0)}
    assert differing(ran.contents(published), before) == []
    assert differing(ran.contents(), built_before) == []
    # In the metrics the build has not failed: what failed in it was made good.
    latest = f"run_id = '{ran.runs()[-1][1]}'"
    assert ran.query(f"select status, error from raw_ops.runs where {latest}") == [("success", None)]
    build = ran.query(f"select status, error, note from raw_ops.stages where stage = 'build' and {latest}")
    assert build == [("success", None, "failed models were built by their own retries")]


def test_a_model_whose_sql_is_wrong_is_not_tried_again_and_its_log_says_why(
    ran: Checkout, running: Airflow
) -> None:
    model = ran.path / MODEL
    original = model.read_text()
    model.write_text(original.replace("select", "select no_such_column,", 1))
    try:
        done = ran.run("airflow", "run", "collisions")
    finally:
        model.write_text(original)
    assert done.returncode == 2, done.stdout + done.stderr
    assert ran.task_tries()[TASK] == ("failed", 1)
    log = _log(ran, TASK)
    assert "would fail again: " in log
    assert "no_such_column" in log
    # And of one that is built, what dbt has said and its SQL, but not each look at the build.
    log = _log(ran, TASK, first_run(ran))
    assert "agg_collisions_by_month_borough is built: OK (" in log
    assert "compiled SQL:" in log
    assert "group by" in log
    assert "poke attempt" not in log


def _log(checkout: Checkout, task: str, run_id: str = "") -> str:
    run_id = run_id or checkout.runs()[-1][1]
    logs = checkout.settings.airflow_home.glob(f"logs/**/run_id={run_id}/task_id={task}/**/*.log")
    return "".join(path.read_text() for path in logs)


def test_a_model_that_is_cleared_in_a_finished_run_is_built_again(ran: Checkout, running: Airflow) -> None:
    published = ran.settings.published("collisions")
    before, built_before = ran.contents(published), ran.contents()
    with duckdb.connect(str(ran.settings.warehouse)) as warehouse:
        warehouse.execute("delete from marts.agg_collisions_by_month_borough")
    run = first_run(ran)
    tries = {task: number for task, (_, number) in ran.task_tries(run).items()}
    # With the producer: its next try is skipped, and the task must not take what the first try has said for the state now.
    running.clear("collisions", run, "dbt_producer_watcher", TASK)
    states = ran.task_tries(run)
    assert states[TASK] == ("success", tries[TASK] + 1)
    assert states["dbt_producer_watcher"] == ("skipped", tries["dbt_producer_watcher"] + 1)
    assert states["publish"] == ("success", tries["publish"] + 1)
    assert differing(ran.contents(), built_before) == []
    assert differing(ran.contents(published), before) == []


def test_a_backfill_puts_its_months_right(ran: Checkout, delivered: Delivered, running: Airflow) -> None:
    first, second = delivered.months
    expected = ran.contents()
    with duckdb.connect(str(ran.settings.warehouse)) as warehouse:
        # A fact that is wrong in two months, as an older version of its model may have left it.
        warehouse.execute(
            "delete from marts.fct_collisions"
            f" where crash_month = '{second}-01' and hash(collision_id) % 2 = 0"
        )
        warehouse.execute(
            f"update marts.fct_collision_vehicles set vehicle_position = 9 where crash_month = '{first}-01'"
        )
    assert len(differing(ran.contents(), expected)) > 1
    days = ["--from-date", f"{first}-31", "--to-date", f"{second}-01"]
    running.backfill("collisions", "--max-active-runs", "1", *days)
    running.until(lambda: running.ended("backfill", 2))
    log = "".join(
        path.read_text() for path in ran.settings.airflow_home.glob("logs/**/run_id=backfill*/**/*.log")
    )
    assert f"fct_collisions: rebuilding {first}-01, {second}-01" in log
    assert differing(ran.contents(), expected) == []
    assert [ran.task_tries(run)["publish"][0] for _, run in ran.runs("backfill")] == ["success"] * 2


def test_a_run_whose_marts_another_one_has_built_leaves_publishing_to_it(
    ran: Checkout, running: Airflow
) -> None:
    record_build_owner("collisions", "another run", ran.settings)
    published = ran.settings.published("collisions").read_bytes()
    run = first_run(ran)
    _, tries = ran.task_tries(run)["publish"]
    running.clear("collisions", run, "publish")
    assert ran.task_tries(run)["publish"] == ("skipped", tries + 1)
    assert ran.settings.published("collisions").read_bytes() == published


def test_a_model_that_is_renamed_while_airflow_runs_is_built_under_its_new_name(
    ran: Checkout, running: Airflow
) -> None:
    old, new = ran.path / MODEL, (ran.path / MODEL).with_name("agg_collisions_by_borough_month.sql")
    files = [*old.parent.rglob("*.yml"), *(ran.path / "dbt_project/tests/collisions").glob("*.sql")]
    named = {file: text for file in files if old.stem in (text := file.read_text())}
    old.rename(new)
    for file, text in named.items():
        file.write_text(re.sub(rf"\b{old.stem}\b", new.stem, text))
    # A mart that is gone stops a publication that nobody has accepted.
    done = ran.run("airflow", "run", "collisions", "--conf", '{"force_publish": true}')
    new.rename(old)
    for file, text in named.items():
        file.write_text(text)
    assert done.returncode == 0, done.stdout + done.stderr
    states = ran.task_tries()
    assert TASK not in states
    assert states[TASK.replace(old.stem, new.stem)] == ("success", 1)
    tables = "select table_name from information_schema.tables where table_schema = 'marts'"
    published = {name for (name,) in ran.query(tables, ran.settings.published("collisions"))}
    assert new.stem in published
    assert old.stem not in published
