"""The services of docker-compose.yaml: no death of a process loses or duplicates a row.

Once without workers and with the warehouse in a DuckDB file, once with Celery and the warehouse on PostgreSQL. The tests
share one PostgreSQL and one data folder; each leaves the services healthy.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from dotenv import dotenv_values

from local_airflow.client import AirflowClient, RunState
from observability.health.airflow_api import AirflowApiError
from tests.contents import differing
from tests.deployment.containers import Containers
from tests.end_to_end.conftest import EXCEPT, Checkout, loads

pytestmark = pytest.mark.long

DOMAINS = ("collisions", "ecommerce")
BUILD = "dbt_producer_watcher"
RUN_SECONDS = 400
# Deaths are detected sooner than by default.
IMPATIENT = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": 20,
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": 2,
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": 15,
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": 5,
    # Only triggered runs.
    "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": False,
    # Enough for two domains, and a faster start.
    "AIRFLOW__CELERY__WORKER_CONCURRENCY": 12,
}


@dataclass
class Platform:
    """The services, and the counts of what has been delivered to them, by domain and kind."""

    containers: Containers
    checkout: Checkout
    made: dict[str, dict[str, int]] = field(default_factory=dict)
    # The services that are up, by their profile, and what the first runs of each profile have shown.
    profile: str | None = None
    first_runs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def up(self, profile: str) -> dict[str, Any]:
        """Have the services of a profile up, after a run of both domains; return what the first such run has shown."""
        if self.profile != profile:
            self.containers.stop()
            self.containers.variables["SLUICE_TARGET"] = "postgres" if profile else "duckdb"
            self.containers.up(profile)
            self.profile = profile
        if profile not in self.first_runs:
            self.first_runs[profile] = self._run_with_a_death() if profile else self._run()
        return self.first_runs[profile]

    def _run(self) -> dict[str, Any]:
        before = self.containers.restarts.copy()
        runs = [self.trigger(domain) for domain in DOMAINS]
        states = {domain: self.end(domain, run_id) for domain, run_id in runs}
        tries = {task.try_number for state in states.values() for task in state.tasks.values()}
        return {
            "tries": tries,
            "accounts": {domain: self.accounts(domain) for domain in DOMAINS},
            "expected": {domain: self.expected(domain) for domain in DOMAINS},
            "restarts": self.containers.restarts - before,
            "services": {*self.containers.active},
        }

    def _run_with_a_death(self) -> dict[str, Any]:
        """Run both domains and kill the worker that loads the one."""
        before = self.containers.restarts.copy()
        self.deliver("collisions", "--rows", "20000", "--first-id", "900000", "--gz")
        loaded, beside = [self.trigger(domain) for domain in DOMAINS]
        pid = self.running(*loaded, "ingest_crashes")
        workers = self.containers.of("worker")
        (worker,) = [worker for worker in workers if worker.holds(pid)]
        worker.kill()
        state = self.end(*loaded)
        self.end(*beside)
        return {
            "tries": state.tasks["ingest_crashes"].try_number,
            "accounts": {domain: self.accounts(domain) for domain in DOMAINS},
            "expected": {domain: self.expected(domain) for domain in DOMAINS},
            "restarts": self.containers.restarts - before,
            "workers": len(workers),
        }

    @property
    def client(self) -> AirflowClient:
        """Return a new session of the UI's user."""
        url = self.containers.url("api-server", 8080)
        return AirflowClient(url, "admin", self.containers.variables["SLUICE_AIRFLOW_PASSWORD"])

    def deliver(self, domain: str, *options: str) -> None:
        """Write sample input."""
        done = self.checkout.run("samples", domain, *options, "--json")
        assert done.returncode == 0, done.stderr
        delivered = {name: count for name, count in loads(done.stdout).items() if isinstance(count, int)}
        before = self.made.get(domain, {})
        self.made[domain] = {name: before.get(name, 0) + count for name, count in delivered.items()}

    def trigger(self, domain: str, **conf: bool) -> tuple[str, str]:
        """Start a run, as soon as the DAG is known; return the DAG and the run."""
        self.until(lambda: domain in {dag["dag_id"] for dag in self.client.dags()})
        return domain, self.client.trigger(domain, conf)

    def running(self, domain: str, run_id: str, task_id: str) -> int:
        """Wait until a task of a run is running; return its process id."""
        query = (
            "select pid from task_instance where state = 'running' and pid is not null"
            f" and (dag_id, run_id, task_id) = ('{domain}', '{run_id}', '{task_id}')"
        )
        return int(self.until(lambda: self.containers.postgres.psql(query, database="airflow"), pause=0.05))

    def end(self, domain: str, run_id: str) -> RunState:
        """Wait for the end of a run, which must succeed."""

        def ended() -> RunState | None:
            state = self.client.run_state(domain, run_id)
            return state if state.finished else None

        state = self.until(ended)
        assert state.state == "success", [
            (task.name, task.try_number, self.client.error_lines(state, task)) for task in state.failed_tasks
        ]
        return state

    def until(self, done: Callable, pause: float = 1) -> object:
        """Poll until there is an answer; services that are starting may refuse."""
        deadline = time.monotonic() + RUN_SECONDS
        while True:
            try:
                if found := done():
                    return found
                missing = None
            except (AirflowApiError, httpx.HTTPError) as error:
                missing = error
            if time.monotonic() > deadline:
                raise TimeoutError(self.containers.of("scheduler")[0].tail()) from missing
            time.sleep(pause)

    def published(self, domain: str) -> dict[str, Any]:
        """Return all rows that a domain has published, by table, without columns that differ between runs."""
        if not self.on_server:
            return self.checkout.contents(self.checkout.settings.published(domain), "marts")
        tables = f"select table_name from information_schema.tables where table_schema = 'published_{domain}'"
        row = f"(to_jsonb(each) - '{{{','.join(EXCEPT)}}}'::text[])::text"
        return {
            table: self.warehouse(f"select {row} from published_{domain}.{table} as each order by 1")
            for table in self.warehouse(tables).splitlines()
        }

    def accounts(self, domain: str) -> dict[str, int]:
        """Return the sums of a domain's accounting mart."""
        names = ("read", "rejected", "quarantined", "superseded", "clean")
        sums = ", ".join(f"sum(rows_{name})::int" for name in names)
        table = f"audit_{domain}__row_counts"
        if self.on_server:
            row = map(int, self.warehouse(f"select {sums} from published_{domain}.{table}").split("|"))
        else:
            file = self.checkout.settings.published(domain)
            (row,) = self.checkout.query(f"select {sums} from marts.{table}", file)
        return dict(zip(names, row, strict=True))

    @property
    def on_server(self) -> bool:
        """Whether the warehouse is the server's database."""
        return self.containers.variables.get("SLUICE_TARGET") == "postgres"

    def warehouse(self, sql: str) -> str:
        """Return rows of a query on the server's database."""
        return self.containers.postgres.psql(sql, database="sluice")

    def expected(self, domain: str) -> dict[str, int]:
        """Return the same sums by the counts of the samples."""
        made = self.made[domain]
        return {"read": made["lines"]} | {
            name: made[name] for name in ("rejected", "quarantined", "superseded", "clean")
        }


@pytest.fixture(scope="module")
def platform(image: Path) -> Platform:
    """The services before their first start, with input of known defects."""
    (image / "sluice.env").write_text("".join(f"{name}={value}\n" for name, value in IMPATIENT.items()))
    containers = Containers(image, dict(dotenv_values(image / ".env")))
    platform = Platform(containers, Checkout(image))
    platform.deliver("ecommerce", "--orders", "2000")
    platform.deliver("collisions", "--rows", "1000")
    try:
        yield platform
    finally:
        containers.down()


def test_without_a_profile_the_scheduler_runs_the_tasks(platform: Platform) -> None:
    ran = platform.up("")
    # Also for a domain without a delivery: files are copied into it.
    assert platform.checkout.settings.landing("sales").is_dir()
    assert (ran["tries"], ran["restarts"]) == ({1}, {})
    assert ran["services"].isdisjoint({"redis", "worker"})
    assert ran["accounts"] == ran["expected"]


def test_a_database_restart_in_a_run_loses_and_duplicates_nothing(platform: Platform) -> None:
    platform.up("")
    before = platform.published("collisions")
    run = platform.trigger("collisions", full_refresh=True)
    platform.running(*run, BUILD)
    platform.containers.postgres.restart()
    platform.end(*run)
    assert differing(platform.published("collisions"), before) == []


def test_a_death_of_a_worker_in_a_task_loses_and_duplicates_nothing(platform: Platform) -> None:
    ran = platform.up("scale")
    assert (ran["tries"], ran["restarts"]["worker"], ran["workers"]) == (2, 1, 2)
    # The warehouse was new and got all deliveries.
    assert ran["accounts"] == ran["expected"]


def test_a_death_of_the_scheduler_in_two_builds_loses_and_duplicates_nothing(
    platform: Platform,
) -> None:
    platform.up("scale")
    before = {domain: platform.published(domain) for domain in DOMAINS}
    runs = [platform.trigger(domain, full_refresh=True) for domain in DOMAINS]
    both = f"select count(*) = 2 from task_instance where state = 'running' and pid is not null and task_id = '{BUILD}'"
    platform.until(lambda: platform.containers.postgres.psql(both, database="airflow") == "t", pause=0.05)
    # Both builds hold the lock of their domain.
    locks = "select count(*) = 2 from pg_locks where locktype = 'advisory' and granted and database ="
    own = " (select oid from pg_database where datname = current_database())"
    platform.until(lambda: platform.warehouse(locks + own) == "t", pause=0.05)
    restarts = platform.containers.restarts["scheduler"]
    platform.containers.of("scheduler")[0].kill()
    for run in runs:
        platform.end(*run)
    assert platform.containers.restarts["scheduler"] == restarts + 1
    for domain in DOMAINS:
        assert differing(platform.published(domain), before[domain]) == []


def test_dumps_restore_into_an_empty_cluster(platform: Platform, tmp_path: Path) -> None:
    platform.up("scale")
    running = platform.containers.postgres
    databases = {
        "airflow": ("METADATA", "select dag_id, run_id, state from dag_run order by run_id"),
        "sluice": ("POSTGRES", "select * from published_collisions.fct_collisions order by collision_id"),
    }
    for database in databases:
        running.client("pg_dump", "-Fc", "--file", str(tmp_path / database), database=database)
    with platform.containers.new_postgres() as restored:
        for database, (whose, rows) in databases.items():
            restored.client("pg_restore", "--dbname", database, str(tmp_path / database), database=database)
            password = platform.containers.variables[f"SLUICE_{whose}_PASSWORD"]
            found = restored.psql(rows, database, database, password)
            assert found == running.psql(rows, database=database) != ""


def test_no_log_holds_a_secret(platform: Platform) -> None:
    platform.up("scale")
    secrets = [
        text
        for name, text in platform.containers.variables.items()
        if name not in ("COMPOSE_PROFILES", "SLUICE_TARGET")
    ]
    folders = (platform.checkout.path / "containers", platform.checkout.settings.airflow_home / "logs")
    logs = [path for folder in folders for path in folder.rglob("*.log")]
    assert len(logs) > 20
    held = [path for path in logs if any(secret in path.read_text(errors="replace") for secret in secrets)]
    assert held == []
