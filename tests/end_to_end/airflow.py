"""Airflow as `make airflow` starts it in a checkout."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from subprocess import Popen

from httpx import HTTPError
from playwright.sync_api import Page

from local_airflow.client import AirflowClient
from local_airflow.configuration import USERNAME, credentials
from local_airflow.processes import Lock
from observability.health.airflow_api import AirflowApiError
from tests.end_to_end.conftest import Checkout

WAIT_SECONDS = 600


@dataclass
class Airflow:
    """A running Airflow of a checkout, and a session with it."""

    checkout: Checkout
    process: Popen[str]
    client: AirflowClient | None = None

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition, as long as Airflow lives."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not condition():
            assert self.process.poll() is None, (self.checkout.path / "started.log").read_text()
            assert time.monotonic() < deadline, self.client and self.client.call("GET", "/dags/~/dagRuns")
            time.sleep(0.5)

    def switch(self, dag_id: str, *, on: bool) -> None:
        """Unpause a DAG, or pause it."""
        self.client.set_paused(dag_id, paused=not on)

    def log_in(self, page: Page) -> None:
        """Log in to the UI."""
        page.goto(self.client.url)
        page.fill("input[name=username]", USERNAME)
        page.fill("input[name=password]", credentials(self.checkout.settings)["password"])
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Welcome").wait_for()

    def trigger(self, dag_id: str) -> None:
        """Start a run by hand."""
        self.client.call("POST", f"/dags/{dag_id}/dagRuns", json={"logical_date": None})

    def clear(self, dag_id: str, run_id: str, *task_ids: str) -> None:
        """Clear tasks of a finished run and those after them, and wait until the run has succeeded again."""
        body = {
            "dry_run": False,
            "only_failed": False,
            "dag_run_id": run_id,
            "task_ids": [*task_ids],
            "include_downstream": True,
        }
        self.client.call("POST", f"/dags/{dag_id}/clearTaskInstances", json=body)
        self.switch(dag_id, on=True)
        self.until(lambda: ("success", run_id) in self.checkout.runs())

    def backfill(self, dag_id: str, *options: str) -> None:
        """Create a backfill of a paused DAG, then unpause it: Airflow does not wait for SQLite, which its scheduler writes to."""
        self.switch(dag_id, on=False)
        command = ["airflow", "exec", "airflow", "backfill", "create", "--dag-id", dag_id, *options]
        created = self.checkout.run(*command)
        assert created.returncode == 0, created.stdout + created.stderr
        self.switch(dag_id, on=True)

    def ended(self, run_type: str, count: int) -> bool:
        """Whether `count` runs of a type have succeeded; fails as soon as one has failed."""
        states = [state for state, _ in self.checkout.runs(run_type)]
        assert "failed" not in states
        return states == ["success"] * count

    def _has_begun(self) -> bool:
        facts = Lock(self.checkout.settings.airflow_home / "lock").facts()
        return facts.get("pid") == self.process.pid and "url" in facts

    def _answers(self) -> bool:
        settings = self.checkout.settings
        url = Lock(settings.airflow_home / "lock").facts()["url"]
        self.client = AirflowClient(url, USERNAME, credentials(settings)["password"])
        try:
            self.client.login()
        except (AirflowApiError, HTTPError):
            return False
        return True

    def _knows(self, dag_ids: set[str]) -> bool:
        return dag_ids <= {dag["dag_id"] for dag in self.client.dags()}


@contextmanager
def airflow(checkout: Checkout, dag_id: str) -> Iterator[Airflow]:
    """Start Airflow until the block ends, and wait until it knows a DAG; the DAG `overview` is paused."""
    process = checkout.start("airflow", "start")
    running = Airflow(checkout, process)
    try:
        running.until(running._has_begun)
        running.until(running._answers)
        running.until(lambda: running._knows({dag_id, "overview"}))
        running.switch("overview", on=False)
        yield running
    finally:
        if running.client:
            running.client.close()
        process.terminate()
        process.wait(timeout=60)
