"""The local Airflow without a start of it."""

import io
import json
import os
import socket
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import psutil
import pytest
from rich.console import Console

import settings
from ingestion.registry import apis_in_use
from local_airflow import configuration, sample_apis
from local_airflow.client import RunState, TaskState
from local_airflow.processes import AirflowError, Component, Lock, free_port, stop
from local_airflow.progress import LinePrinter
from local_airflow.report import exit_status, stages

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def where(tmp_path):
    return settings.Settings(data_dir=tmp_path, env="dev")


def task(task_id, state="success", start=0, end=1, tries=1):
    times = [NOON + timedelta(seconds=seconds) for seconds in (start, end)]
    return TaskState(task_id, state, tries, *times)


def run(state, *tasks):
    return RunState("collisions", "r", state, NOON, NOON, {one.task_id: one for one in tasks})


def test_a_taken_port_is_skipped():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert port < free_port(port) < port + 100


def test_a_second_start_is_refused_and_names_the_first(tmp_path):
    first = Lock(tmp_path / "lock")
    first.acquire()
    with pytest.raises(AirflowError, match=f"already runs.*process {os.getpid()}"):
        Lock(tmp_path / "lock").acquire()
    first.release()
    Lock(tmp_path / "lock").acquire()


def test_readers_of_the_lock_always_find_its_holder(tmp_path):
    lock = Lock(tmp_path / "lock")
    lock.acquire()
    with ThreadPoolExecutor() as pool:
        looking = pool.submit(lambda: {Lock(tmp_path / "lock").facts().get("pid") for _ in range(1000)})
        started = 0
        while not looking.done():
            started = min(started + 1, 20)
            lock.note(pid=os.getpid(), children=[*range(started)])
    assert looking.result() == {os.getpid()}


def test_the_lock_of_a_killed_process_is_free(tmp_path):
    program = [sys.executable, "-m", "tests.programs.die_with_lock"]
    holder = subprocess.run([*program, tmp_path / "lock"], cwd=settings.PROJECT_DIR)
    assert holder.returncode == -9
    Lock(tmp_path / "lock").acquire()


def test_the_lock_is_held_while_a_child_of_a_killed_process_lives(tmp_path):
    lock = Lock(tmp_path / "lock")
    lock.acquire()
    sleeper = Component(
        "sleeper", ["-c", "import time; time.sleep(60)"], dict(os.environ), tmp_path / "log", lock
    )
    lock.release()
    with pytest.raises(AirflowError, match="already runs"):
        Lock(tmp_path / "lock").acquire()
    stop([sleeper])
    Lock(tmp_path / "lock").acquire()


def test_stop_ends_even_a_grandchild_that_ignores_sigterm(tmp_path, monkeypatch):
    monkeypatch.setattr("local_airflow.processes.STOP_SECONDS", 0.5)
    lock = Lock(tmp_path / "lock")
    lock.acquire()
    environment = {**os.environ, "PYTHONPATH": str(settings.PROJECT_DIR)}
    program = ["-m", "tests.programs.stubborn", "parent"]
    component = Component("parent", program, environment, tmp_path / "log", lock)
    while not (tmp_path / "log").read_text():
        time.sleep(0.05)
    family = psutil.Process(component.process.pid).children(recursive=True)
    assert family
    stop([component])
    assert not any(process.is_running() for process in family)


def test_stop_ends_a_process_that_begins_while_its_parent_ends(tmp_path):
    lock = Lock(tmp_path / "lock")
    lock.acquire()
    started = tmp_path / "started"
    environment = {**os.environ, "PYTHONPATH": str(settings.PROJECT_DIR)}
    program = ["-m", "tests.programs.late_child", str(started)]
    component = Component("parent", program, environment, tmp_path / "log", lock)
    deadline = time.monotonic() + 30
    while not started.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    stop([component])
    assert not psutil.pid_exists(int(started.read_text()))


def test_a_component_that_died_is_named_with_the_end_of_its_log(tmp_path):
    lock = Lock(tmp_path / "lock")
    lock.acquire()
    dead = Component(
        "scheduler", ["-c", "raise SystemExit('no database')"], dict(os.environ), tmp_path / "log", lock
    )
    dead.process.wait()
    with pytest.raises(AirflowError, match="scheduler ended with status 1.\nno database"):
        dead.check()


def test_secrets_are_generated_once_and_private(where):
    first = configuration.credentials(where)
    assert configuration.credentials(where) == first
    configuration.airflow_environment(where)
    for name in (configuration.SECRETS_FILE, configuration.PASSWORDS_FILE):
        assert stat.S_IMODE((where.airflow_home / name).stat().st_mode) == 0o600


def test_watchers_leave_room_in_the_executor(where):
    environment = configuration.airflow_environment(where, 8080)
    slots = {pool["name"]: pool["slots"] for pool in configuration.pools(configuration.dag_names(), where)}
    assert slots.pop("warehouse_writer") == 1
    assert {"dbt_watchers_collisions", "dbt_watchers_ecommerce"} <= slots.keys()
    assert sum(slots.values()) < int(environment["AIRFLOW__CORE__PARALLELISM"])


@pytest.mark.parametrize(("cores", "tasks"), [(1, 2), (2, 3), (4, 5), (16, 5), (64, 5)])
def test_a_host_with_many_cores_gets_no_more_processes(where, monkeypatch, cores, tasks):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))
    pool = configuration.pools(["taxi"], where)[1]
    assert pool["slots"] == tasks
    parallelism = int(configuration.airflow_environment(where)["AIRFLOW__CORE__PARALLELISM"])
    assert parallelism == tasks * len(configuration.dag_names()) + configuration.OTHER_TASKS
    monkeypatch.setenv("SLUICE_MODEL_TASKS", "8")
    assert configuration.watchers(settings.load()) == 8


def test_airflow_listens_on_loopback_with_a_login(where):
    environment = configuration.airflow_environment(where, 8081)
    assert environment["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS" not in environment
    assert environment["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:8081/execution/"
    assert json.loads(environment["AIRFLOW__COSMOS__DBT_DOCS_PROJECTS"])["sluice"]["dir"] == str(
        where.dbt_target
    )


@pytest.mark.parametrize(
    ("state", "tasks", "status"),
    [
        ("success", [task("a")], 0),
        ("success", [task("dbt_producer_watcher", "failed"), task("a", tries=2)], 0),
        ("success", [task("a"), task("notify", "failed")], 1),
        ("failed", [task("a", "failed")], 2),
    ],
)
def test_exit_status(state, tasks, status):
    assert exit_status([run(state, *tasks)]) == status


def test_a_stage_lasts_from_first_start_to_last_end():
    state = run(
        "success",
        task("clean.b", start=2, end=5),
        task("clean.a", start=1, end=3),
        task("ingest", end=1),
        task("never", "upstream_failed", end=0),
    )
    assert stages(state) == {"ingest": 1, "clean": 4}


def test_a_line_is_printed_per_change():
    console = Console(file=io.StringIO(), record=True, width=200)
    show = LinePrinter(console)
    for tasks in ([task("a", "running")], [task("a", "running")], [task("a", tries=2)]):
        show([run("running", *tasks)])
    lines = console.export_text().splitlines()
    assert [line.split()[1:4] for line in lines] == [
        ["collisions", "a", "running"],
        ["collisions", "a", "success"],
    ]
    assert lines[1].endswith("try 2")


def test_sample_apis_report_their_own_port(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    lock = Lock(tmp_path / "lock")
    lock.acquire()
    apis = apis_in_use()
    environment = {**os.environ, "PYTHONPATH": str(settings.PROJECT_DIR)}
    servers = [
        Component(*sample_apis.COMPONENT, environment=environment, log=tmp_path / f"{number}.log", lock=lock)
        for number in range(2)
    ]
    try:
        found = [sample_apis.await_variables(server, apis) for server in servers]
        for variables in found:
            assert variables.keys() == {name for api in apis for name in (api.url_variable, api.key_variable)}
            token = {"Authorization": f"Bearer {variables['SLUICE_PRODUCTS_API_TOKEN']}"}
            answer = httpx.get(f"{variables['SLUICE_PRODUCTS_API_URL']}/products", headers=token)
            assert [product["id"] for product in answer.json()["items"]][:2] == [1, 2]
        assert found[0]["SLUICE_PRODUCTS_API_URL"] != found[1]["SLUICE_PRODUCTS_API_URL"]
    finally:
        stop(servers)
    assert not any(psutil.pid_exists(server.process.pid) for server in servers)


def test_sample_apis_that_do_not_start_are_an_error(tmp_path):
    lock = Lock(tmp_path / "lock")
    lock.acquire()
    server = Component(
        "sample-apis", ["-c", "raise SystemExit('no socket')"], dict(os.environ), tmp_path / "log", lock
    )
    with pytest.raises(AirflowError, match="no socket"):
        sample_apis.await_variables(server, apis_in_use())
