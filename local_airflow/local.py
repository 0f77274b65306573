"""Airflow on this machine, from start to stop."""

import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import httpx
import psutil

from local_airflow import configuration, metadata, sample_apis
from local_airflow.client import AirflowClient, RunState
from local_airflow.processes import FIRST_PORT, AirflowError, Component, Lock, free_port, stop
from observability.health.airflow_api import AirflowApiError
from settings import PROJECT_DIR, Settings
from transformation.dbt import DbtError, ensure_manifest, is_stale, project_state

START_SECONDS = 180
POLL_SECONDS = 1.0
# Between two looks at which DAGs are paused.
LOOK_SECONDS = 10.0
# The version of Airflow for which its database was made.
MIGRATED = "migrated"
# Airflow itself notices a changed file of a DAG, but not a changed module that it imports.
DAG_CODE = (PROJECT_DIR / "dags", PROJECT_DIR / "ingestion" / "sources")


class RunTimeout(RuntimeError):
    """A DAG run did not finish in the time that it was given."""


class PortTakenError(RuntimeError):
    """Another server took the port before the api-server started."""


class LocalAirflow:
    """A running Airflow, as a context manager.

        with LocalAirflow(settings) as airflow:
            run = airflow.run_dag("collisions", timeout=600)

    Unless it is `scheduled`, only triggered runs start: scheduled runs (years of them with catch-up) would delay these,
    and be cut off at the end. If a scheduled Airflow runs on this data folder already, it is joined, and left running.
    With `samples`, APIs without an address are replaced by those that `sluice samples serve` offers.
    Entering raises AirflowError if it cannot start (another Airflow runs on this data folder that cannot be joined, or a
    component died) and DbtError if dbt rejects the project. Leaving ends every process.
    """

    def __init__(
        self,
        settings: Settings,
        say: Callable[[str], None] = lambda line: None,
        *,
        scheduled: bool = False,
        samples: bool = False,
    ) -> None:
        self._settings = settings
        self._scheduled = scheduled
        self._samples = samples
        self._say = say
        self._logs = settings.airflow_home / "logs"
        self._lock = Lock(settings.airflow_home / "lock")
        self._components: list[Component] = []
        self._pooled: list[str] = []
        self._joined = False
        self._unpaused: set[str] = set()
        self._rejected: float | None = None
        self._code: dict[Path, float] = {}
        self._active: set[str] = set()
        self._looked = 0.0
        self.username = configuration.USERNAME
        self.url: str | None = None
        self.client: AirflowClient | None = None

    def __enter__(self) -> "LocalAirflow":
        if self._settings.deployment:
            raise AirflowError(
                "SLUICE_METADATA_URL is set: Airflow runs as services here, see docs/deployment.md"
            )
        try:
            self._lock.acquire()
        except AirflowError:
            if self._scheduled or not self._is_up():
                raise
            self._join()
            return self
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def stop(self) -> None:
        """End every process that was started, and release the data folder."""
        if self.client:
            if not self._joined:
                with suppress(AirflowApiError, httpx.HTTPError):
                    self._pause_again(self._unpaused)
            self.client.close()
        if not self._joined:
            stop(self._components)
            self._components.clear()
            self._lock.release()

    def check(self) -> None:
        """Raise AirflowError if a component of Airflow has died."""
        for component in self._components:
            component.check()

    def ensure_pools(self) -> None:
        """Create the pools of the DAGs in dags/, if there is a new DAG since the last call."""
        names = configuration.dag_names()
        if names != self._pooled:
            self.client.set_pools(configuration.pools(names, self._settings))
            self._pooled = names

    def follow(self) -> None:
        """Have DAGs read again if that changes something since the last call.

        This is a change of the models, for which dbt's manifest is updated, of the sources or of the modules in dags/. A
        project that dbt rejects is reported once, and looked at again after its next change. It is also a DAG that was
        paused or unpaused: Airflow watches the assets of the DAGs that were not paused when they were read.
        """
        self._follow_project()
        if time.monotonic() > self._looked + LOOK_SECONDS:
            self._looked = time.monotonic()
            # If the api-server does not respond, the next call looks again.
            with suppress(AirflowApiError):
                self._follow_active()

    def _follow_active(self) -> None:
        assert self.client
        active = self.client.active_dags()
        if changed := active ^ self._active:
            self.client.parse([dag["file_token"] for dag in self.client.dags() if dag["dag_id"] in changed])
            self._active = active

    def _follow_project(self) -> None:
        if self._code != (code := _dag_code()):
            self._code = code
            self._parse_dags("the code of the DAGs has changed")
        if not is_stale(self._settings) or (state := project_state()) == self._rejected:
            return
        try:
            ensure_manifest(self._settings)
        except DbtError as error:
            self._rejected = state
            self._say(f"the DAGs keep the models of before: {error}")
            return
        self._parse_dags("the models have changed")

    def _parse_dags(self, reason: str) -> None:
        self._say(f"{reason}; the DAGs are read again")
        assert self.client
        self.client.parse([dag["file_token"] for dag in self.client.dags()])

    def pipelines(self) -> list[str]:
        """Return the ids of the DAGs with the tag `pipeline`, once each file in dags/ has been parsed.

        Raises:
            AirflowError: a file cannot be parsed.
        """
        known = self._await_parsed(configuration.dag_names())
        return sorted(
            name for name, dag in known.items() if any(tag["name"] == "pipeline" for tag in dag["tags"])
        )

    def trigger(self, dag_id: str, conf: dict | None = None) -> str:
        """Start a run of a DAG, with `conf` as its parameters; return the run's id.

        A paused DAG is unpaused until `watch` has seen its runs finish, or until Airflow stops.

        Raises:
            AirflowError: there is no such DAG, or its file cannot be parsed.
        """
        if dag_id not in configuration.dag_names():
            raise AirflowError(f"there is no DAG {dag_id}; there are {', '.join(configuration.dag_names())}")
        if self._await_parsed([dag_id])[dag_id]["is_paused"]:
            self._unpaused.add(dag_id)
        return self.client.trigger(dag_id, conf)

    def watch(
        self, runs: Iterable[tuple[str, str]], timeout: float, on_poll: Callable[[list[RunState]], None]
    ) -> list[RunState]:
        """Follow runs, given as DAG and run id, until all have finished; return their final states.

        `on_poll` gets the states about once per second.

        Raises:
            AirflowError: a component of Airflow has died.
            RunTimeout: a run has not finished after `timeout` seconds.
        """
        runs = list(runs)
        deadline = time.monotonic() + timeout
        while True:
            self.check()
            states = [self.client.run_state(dag_id, run_id) for dag_id, run_id in runs]
            self._pause_again(self._unpaused - {state.dag_id for state in states if not state.finished})
            on_poll(states)
            if all(state.finished for state in states):
                return states
            if time.monotonic() > deadline:
                late = ", ".join(state.dag_id for state in states if not state.finished)
                raise RunTimeout(f"not finished after {timeout:.0f} s: {late}")
            time.sleep(POLL_SECONDS)

    def run_dag(self, dag_id: str, conf: dict | None = None, timeout: float = 3600) -> RunState:
        """Run a DAG to its end and return its state. Raises what `trigger` and `watch` raise."""
        run_id = self.trigger(dag_id, conf)
        return self.watch([(dag_id, run_id)], timeout, lambda states: None)[0]

    def _pause_again(self, dag_ids: set[str]) -> None:
        for dag_id in dag_ids:
            self.client.set_paused(dag_id, paused=True)
            self.client.drop_asset_events(dag_id)
        self._unpaused -= dag_ids

    def _is_up(self) -> bool:
        """Whether a scheduled Airflow of this environment holds the lock and its api-server has started."""
        facts = self._lock.facts()
        return (
            facts.get("stays_for") == self._settings.env
            and "url" in facts
            and psutil.pid_exists(facts["pid"])
        )

    def _join(self) -> None:
        ensure_manifest(self._settings)
        self._joined = True
        self.url = self._lock.facts()["url"]
        self.password = configuration.credentials(self._settings)["password"]
        try:
            self._await_api()
        except PortTakenError as error:
            raise AirflowError(
                f"what answers on {self.url} is not the Airflow of this data folder"
            ) from error
        self._say(f"Airflow runs already, on {self.url}")
        self._parsed_after = datetime.now(UTC)

    def _start(self) -> None:
        # dbt parses while Airflow's database is made and the api-server starts.
        with ThreadPoolExecutor(1) as executor:
            parsed = executor.submit(ensure_manifest, self._settings)
            make_database(self._settings, self._say)
            self._start_components(parsed)

    def _start_components(self, parsed: Future[None]) -> None:
        self.password = configuration.credentials(self._settings)["password"]
        apis = self._start_sample_apis() if self._samples else {}
        port = free_port(host=self._settings.airflow_host)
        while True:
            environment = configuration.airflow_environment(self._settings, port) | apis
            environment["AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE"] = str(self._scheduled)
            self.url = f"http://127.0.0.1:{port}"
            self._add("api-server", ["-m", "airflow", "api-server", "--workers", "1"], environment)
            parsed.result()
            self._parsed_after = datetime.now(UTC)
            self._code = _dag_code()
            self._add("dag-processor", ["-m", "local_airflow.preloaded", "dag-processor"], environment)
            try:
                self._await_api()
                break
            except PortTakenError:
                stop([self._components.pop(), self._components.pop()])
                port = free_port(port + 1, self._settings.airflow_host)
        self._say(f"Airflow starts on {self.url}")
        self.ensure_pools()
        # After a stop of `make run`, the next one starts new runs. Scheduled and backfill runs are resumed.
        self.client.fail_cut_off_runs()
        self._add(
            "scheduler", ["-m", "local_airflow.preloaded", "scheduler", "--skip-serve-logs"], environment
        )
        self._add("triggerer", ["-m", "airflow", "triggerer", "--skip-serve-logs"], environment)

    def _start_sample_apis(self) -> dict[str, str]:
        """Start the sample APIs if one is needed; return the variables with their addresses and keys."""
        # Imported here, because the import of dlt is slow.
        from ingestion.registry import apis_in_use

        missing = [api for api in apis_in_use() if not api.api_url]
        if not missing:
            return {}
        self._add(*sample_apis.COMPONENT, environment=configuration.airflow_environment(self._settings))
        found = sample_apis.await_variables(self._components[-1], missing)
        for api in missing:
            self._say(f"{api.url_variable} is not set; samples stand in, on {found[api.url_variable]}")
        return found

    def _add(self, name: str, arguments: list[str], environment: dict[str, str]) -> None:
        log = self._logs / f"{name}.log"
        self._components.append(Component(name, arguments, environment, log, self._lock))
        children = [component.process.pid for component in self._components]
        facts = {"url": self.url} if self.url else {}
        if self._scheduled:
            # One that was started for some runs ends with them and cannot be joined.
            facts["stays_for"] = self._settings.env
        self._lock.note(pid=os.getpid(), children=children, **facts)

    def _await_api(self) -> None:
        """Wait until our api-server answers.

        The login proves that it is ours: with another server on its port, the scheduler would leave every task queued.

        Raises:
            PortTakenError: another server has the port.
        """
        self.client = AirflowClient(self.url, self.username, self.password)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                self.check()
            except AirflowError as error:
                if "address already in use" in str(error):
                    raise PortTakenError from error
                raise
            try:
                health = httpx.get(f"{self.url}/api/v2/monitor/health", timeout=5)
                if health.is_success and health.json()["metadatabase"]["status"] == "healthy":
                    self.client.login()
                    return
            except (httpx.HTTPError, ValueError):
                pass
            except AirflowApiError as error:
                raise PortTakenError from error
            time.sleep(0.2)
        raise AirflowError(
            f"the api-server did not answer within {START_SECONDS} s: {self._logs}/api-server.log"
        )

    def _await_parsed(self, names: list[str]) -> dict[str, dict]:
        """Wait until the files of these DAGs have been parsed since the start; return all known DAGs by id."""
        deadline = time.monotonic() + START_SECONDS
        asked: list[str] = []
        while time.monotonic() < deadline:
            self.check()
            for file, trace in self.client.import_errors().items():
                if Path(file).stem in names:
                    raise AirflowError(f"{file} cannot be parsed:\n{trace}")
            known = {dag["dag_id"]: dag for dag in self.client.dags()}
            late = [name for name in names if not self._is_parsed(known.get(name))]
            if not late:
                return known
            if self._joined and not asked:
                asked = [known[name]["file_token"] for name in late if name in known]
                self.client.parse(asked)
            time.sleep(0.3)
        raise AirflowError(f"dags/ was not parsed within {START_SECONDS} s: {self._logs}/dag-processor.log")

    def _is_parsed(self, dag: dict | None) -> bool:
        # A DAG of an earlier start may be outdated.
        return bool(dag) and datetime.fromisoformat(dag["last_parsed_time"]) > self._parsed_after


def _dag_code() -> dict[Path, float]:
    """Return the time of the last change of each Python file beside dbt's manifest that DAGs are made from."""
    found = {}
    for folder in DAG_CODE:
        for path in folder.rglob("*.py"):
            with suppress(FileNotFoundError):  # removed meanwhile
                found[path] = path.stat().st_mtime
    return found


def prepare(settings: Settings, say: Callable[[str], None]) -> None:
    """Make what Airflow needs before it starts: dbt's manifest and Airflow's database.

    Raises:
        DbtError: dbt rejects the project.
        AirflowError: the database cannot be created.
    """
    ensure_manifest(settings)
    make_database(settings, say)


def make_database(settings: Settings, say: Callable[[str], None] = lambda line: None) -> None:
    """Create or upgrade Airflow's database, once per version of Airflow.

    Raises:
        AirflowError: the database cannot be created.
    """
    marker = settings.airflow_home / MIGRATED
    current = version("apache-airflow-core")
    if marker.exists() and marker.read_text() == current:
        return
    say("Creating Airflow's database (once)")
    metadata.migrate(configuration.airflow_environment(settings))
    marker.write_text(current)


def last_port(settings: Settings) -> int:
    """Return the port of the api-server that runs on this data folder, or ran there last."""
    url = Lock(settings.airflow_home / "lock").facts().get("url", f":{FIRST_PORT}")
    return int(url.rpartition(":")[2])
