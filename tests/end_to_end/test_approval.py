"""A run whose gate stops waits in a real Airflow for a person, who publishes or rejects; nobody's answer rejects."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.browser import chromium, launched
from tests.end_to_end.airflow import Airflow, airflow
from tests.end_to_end.conftest import Checkout
from tests.receivers import Webhook, webhook

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def hook() -> Iterator[Webhook]:
    with webhook() as hook:
        yield hook


@pytest.fixture(scope="module")
def waiting(checkout: Checkout, hook: Webhook) -> Checkout:
    """The checkout with collisions published, in which runs wait for an hour."""
    made = checkout.run("samples", "collisions", "--rows", "2000")
    assert made.returncode == 0, made.stderr
    # No run but those of the tests.
    checkout.variables = {**hook.variables(), "SLUICE_SCHEDULE_COLLISIONS": "none"}
    done = checkout.run("run", "collisions")
    assert done.returncode == 0, done.stderr
    set_hours(checkout, "1")
    return checkout


def set_hours(checkout: Checkout, hours: str) -> None:
    file = checkout.path / "environments.toml"
    head, _, own = file.read_text().partition("[dev]")
    lines = [
        f"approval_hours = {hours}" if line.startswith("approval_hours") else line for line in own.split("\n")
    ]
    file.write_text(f"{head}[dev]{chr(10).join(lines)}")


@pytest.fixture(scope="module")
def running(waiting: Checkout) -> Iterator[Airflow]:
    with airflow(waiting, "collisions") as running:
        running.switch("collisions", on=True)
        yield running


def break_the_file(checkout: Checkout, share: int) -> None:
    """Deliver the same file with a key missing in one of so many lines, which puts these into quarantine."""
    (file,) = checkout.settings.landing("collisions").glob("*.csv")
    header, *lines = file.read_text().splitlines()
    at = header.split(",").index("COLLISION_ID")
    changed = []
    for number, line in enumerate(lines):
        cells = line.split(",")
        if number % share == 0 and len(cells) == len(header.split(",")):
            cells[at] = "none"
        changed.append(",".join(cells))
    file.write_text("\n".join([header, *changed]) + "\n")


def stopped_run(running: Airflow) -> str:
    """Start a run and wait until it waits."""
    running.trigger("collisions")

    def waits() -> bool:
        return running.checkout.task_tries().get("publish", ("", 0))[0] == "awaiting_input"

    running.until(waits)
    return running.checkout.runs()[-1][1]


def decide(running: Airflow, run_id: str, option: str, comment: str) -> None:
    # An answer before the executor has told of the end of the first process makes Airflow ask again.
    time.sleep(5)
    running.client.call(
        "PATCH",
        f"/dags/collisions/dagRuns/{run_id}/taskInstances/publish/-1/hitlDetails",
        json={"chosen_options": [option], "params_input": {"comment": comment}},
    )


def published(checkout: Checkout) -> bytes:
    return checkout.settings.published("collisions").read_bytes()


def log_of(checkout: Checkout, run_id: str) -> str:
    return "".join(
        path.read_text()
        for path in checkout.settings.airflow_home.glob(f"logs/**/run_id={run_id}/task_id=publish/**/*.log")
    )


def test_the_decision_is_asked_for_with_both_sides_and_recorded(
    running: Airflow, hook: Webhook, tmp_path: Path
) -> None:
    checkout = running.checkout
    before = published(checkout)
    break_the_file(checkout, 5)
    run_id = stopped_run(running)
    assert published(checkout) == before
    # Others write to the warehouse meanwhile.
    assert running.client.call("GET", "/pools/warehouse_writer")["open_slots"] == 1
    (asked,) = [text for text in hook.texts if text.startswith("collisions waits for a decision (dev)")]
    assert "differences between collisions and the published version exceed their limits" in asked
    assert f"/dags/collisions/runs/{run_id.replace(':', '%3A').replace('+', '%2B')}" in asked
    if chromium():
        with launched() as browser:
            page = browser.new_page(viewport={"width": 1400, "height": 1000})
            running.log_in(page)
            page.goto(f"{running.client.url}/dags/collisions/runs/{run_id}/tasks/publish/required_actions")
            page.get_by_text("Publish in spite of this?").first.wait_for()
            page.get_by_text("exceed their limits").first.wait_for()
            page.screenshot(path=tmp_path / "decision.png")
    decide(running, run_id, "Publish", "")
    # Without a reason it asks again.
    running.until(lambda: checkout.task_tries(run_id)["publish"] == ("awaiting_input", 2))
    decide(running, run_id, "Publish", "the city knows of it")
    running.until(lambda: ("success", run_id) in checkout.runs())
    assert published(checkout) != before
    versions = checkout.run("versions", "collisions").stdout
    assert "accepted by admin; learning; the city knows of it" in versions


def test_a_rejection_fails_the_run_with_its_reason_and_readers_keep_what_they_had(running: Airflow) -> None:
    checkout = running.checkout
    before = published(checkout)
    break_the_file(checkout, 3)
    run_id = stopped_run(running)
    decide(running, run_id, "Reject", "ask them for another file")
    running.until(lambda: ("failed", run_id) in checkout.runs())
    assert checkout.task_tries(run_id)["publish"] == ("failed", 1)
    assert "not published: admin has rejected it: ask them for another file" in log_of(checkout, run_id)
    assert published(checkout) == before


def test_nobody_s_answer_rejects(running: Airflow) -> None:
    checkout = running.checkout
    before = published(checkout)
    set_hours(checkout, "0.003")
    running.client.parse(
        [dag["file_token"] for dag in running.client.dags() if dag["dag_id"] == "collisions"]
    )
    time.sleep(5)
    run_id = stopped_run(running)
    running.until(lambda: ("failed", run_id) in checkout.runs())
    assert "nobody has decided in time" in log_of(checkout, run_id)
    assert published(checkout) == before
