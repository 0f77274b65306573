"""What `sluice doctor` looks at: each check says what it found and, if something is wrong, what to do.

A check that fails itself is a finding like any other, and never keeps the others from running.
"""

import re
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import psutil

from settings import PROJECT_DIR, Settings

OK, WARNING, ERROR = "ok", "warning", "error"
# The least free space: builds spill what they cannot hold in memory, and a version is written beside the published one.
LEAST_FREE = 2 * 1024**3
PACKAGES = ("dbt-core", "dbt-duckdb", "duckdb", "dlt", "apache-airflow", "astronomer-cosmos")


@dataclass(frozen=True)
class Finding:
    """The result of a look at one thing.

    Attributes:
        subject: the thing.
        level: `ok`, `warning` (works, but look at it) or `error` (does not work).
        text: what was found.
        fix: what to do; empty if nothing.
    """

    subject: str
    level: str
    text: str
    fix: str = ""

    def __str__(self) -> str:
        sign = {OK: " ", WARNING: "!", ERROR: "✗"}[self.level]
        fix = f"\n{'':16}→ {self.fix}" if self.fix else ""
        return f"{sign} {self.subject:<13} {self.text}{fix}"

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def examine(settings: Settings) -> list[Finding]:
    """Look at everything; return what was found, in the order of dependence."""
    found: list[Finding] = []
    for check in CHECKS:
        try:
            found += check(settings)
        except Exception as error:
            subject = check.__name__.strip("_")
            found.append(Finding(subject, ERROR, f"cannot be examined: {type(error).__name__}: {error}"))
    return found


def _python(settings: Settings) -> Iterator[Finding]:
    locked = dict(re.findall(r"^([\w.-]+)==([^\s;]+)", (PROJECT_DIR / "requirements.txt").read_text(), re.M))
    other = []
    for package in PACKAGES:
        try:
            installed = version(package)
        except PackageNotFoundError:
            installed = "missing"
        if installed != locked[package]:
            other.append(f"{package} {installed} instead of {locked[package]}")
    text = f"{sys.version.split()[0]} in {sys.prefix}"
    if other:
        yield Finding("Python", WARNING, f"{text}: {', '.join(other)}", "make setup installs what is locked")
    else:
        yield Finding("Python", OK, f"{text}; {', '.join(f'{name} {locked[name]}' for name in PACKAGES)}")


def _settings(settings: Settings) -> Iterator[Finding]:
    yield Finding(
        "settings",
        OK,
        f"environment {settings.env}, target {settings.target}, data in {settings.data_dir}",
    )
    try:
        settings.check_domain_variables()
    except ValueError as error:
        yield Finding(
            "settings", ERROR, str(error), "correct the variable, or take it out of the environment"
        )


def _disk(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    while not folder.exists():
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    text = f"{usage.free / 1024**3:,.1f} GB free of {usage.total / 1024**3:,.0f} GB at {settings.data_dir}"
    stored = settings.warehouse.stat().st_size if settings.warehouse.exists() else 0
    # A full refresh writes every table beside the one that it replaces.
    if usage.free < max(LEAST_FREE, stored):
        yield Finding("disk", WARNING, text, "free some space, or set SLUICE_DATA_DIR to another disk")
    else:
        yield Finding("disk", OK, text)


def _ports(settings: Settings) -> Iterator[Finding]:
    from dashboard.serve import FIRST_PORT as DASHBOARD
    from local_airflow.processes import DOCS_PORT, FIRST_PORT

    users = {DOCS_PORT: "dbt docs serve", FIRST_PORT: "Airflow", DASHBOARD: "the dashboard"}
    taken = [port for port in users if _answers(port)]
    text = "; ".join(f"{port} (by default of {users[port]}) is in use" for port in taken)
    # Airflow and the dashboard take the next free one; dbt does not.
    if DOCS_PORT in taken:
        yield Finding("ports", WARNING, text, "dbt docs serve --port 8090")
    else:
        yield Finding("ports", OK, text or f"{', '.join(map(str, users))} are free")


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return not probe.connect_ex(("127.0.0.1", port))


def _warehouse(settings: Settings) -> Iterator[Finding]:
    from warehouse import WarehouseError, read_connection, warehouse_exists

    if settings.target == "duckdb":
        yield _warehouse_file(settings)
        return
    try:
        if not warehouse_exists(settings):
            yield Finding(
                "warehouse", WARNING, f"there is none on {settings.target} yet", "sluice run DOMAIN"
            )
            return
        with read_connection(settings) as warehouse:
            warehouse.execute("select 1").fetchall()
    except WarehouseError as error:
        yield Finding("warehouse", ERROR, str(error), "see docs/engines.md for the variables of the server")
    else:
        yield Finding("warehouse", OK, f"{settings.warehouse_name} answers")


def _warehouse_file(settings: Settings) -> Finding:
    from warehouse.duckdb_file import writing_process

    path = settings.warehouse
    if not path.exists():
        return Finding(
            "warehouse", OK, f"{path} does not exist yet; sluice run DOMAIN, or make run, makes it"
        )
    size = f"{path}, {path.stat().st_size / 1024**2:,.0f} MB"
    if (holder := writing_process(settings)) is None:
        return Finding("warehouse", OK, f"{size}; nobody writes to it")
    described = f"process {holder}"
    with suppress(psutil.Error):
        process = psutil.Process(holder)
        minutes = (time.time() - process.create_time()) / 60
        described += f", {' '.join(process.cmdline())[:100]}, for {minutes:.0f} minutes"
    return Finding(
        "warehouse",
        WARNING,
        f"{size}, is held by {described}",
        "it is a run, which ends; a DuckDB shell must be closed",
    )


def _models(settings: Settings) -> Iterator[Finding]:
    from transformation.dbt import is_stale

    if not settings.manifest.exists():
        yield Finding("models", OK, "dbt has not parsed the project yet; the next command does")
    elif is_stale(settings):
        yield Finding(
            "models", OK, "dbt's manifest is older than the project; the next command parses it again"
        )
    else:
        yield Finding("models", OK, f"dbt's manifest is up to date: {settings.manifest}")


def _sources(settings: Settings) -> Iterator[Finding]:
    from ingestion.registry import broken_domains, domains
    from transformation.manifest import read_manifest

    found = domains()
    yield Finding("sources", OK, ", ".join(found) or "there are none; sluice new makes one")
    for error in {str(error) for error in broken_domains().values()}:
        yield Finding("sources", ERROR, error, "correct the module; other domains run without it")
    if settings.manifest.exists():
        for name in sorted({*found} - {*read_manifest(settings.manifest).domains}):
            yield Finding(
                "sources", WARNING, f"{name}: no model is tagged {name!r}, so that nothing of it is built",
                f"sluice check {name}",
            )  # fmt: skip


def _airflow(settings: Settings) -> Iterator[Finding]:
    from local_airflow.client import AirflowClient
    from local_airflow.configuration import USERNAME, credentials, dag_names, pools
    from local_airflow.processes import Lock
    from observability.health.airflow_api import AirflowApiError

    if settings.airflow:
        access = settings.airflow
        url, user, password = access.url, access.username, access.password.get_secret_value()
    else:
        facts = Lock(settings.airflow_home / "lock").facts()
        if "url" not in facts or not psutil.pid_exists(facts["pid"]):
            yield Finding("Airflow", OK, "does not run; sluice airflow start starts it")
            return
        url, user, password = facts["url"], USERNAME, credentials(settings)["password"]
    try:
        with AirflowClient(url, user, password) as client:
            client.login()
            health = client.call("GET", "/monitor/health")
            errors = client.import_errors()
            names = {pool["name"] for pool in client.pages("/pools", "pools", {})}
            paused = sorted({*dag_names()} - client.active_dags())
    except (AirflowApiError, OSError) as error:
        yield Finding("Airflow", ERROR, f"{url}: {error}", "see the logs in " + str(settings.airflow_home))
        return
    yield Finding("Airflow", OK, f"{url}; paused: {', '.join(paused) or 'no DAG'}")
    for part, state in health.items():
        if state and state.get("status") not in ("healthy", None):
            log = settings.airflow_home / "logs"
            yield Finding("Airflow", ERROR, f"the {part} is {state['status']}", f"its log is in {log}")
    for file, trace in errors.items():
        yield Finding("DAGs", ERROR, f"{file}: {trace.strip().splitlines()[-1]}", "correct the file")
    if missing := {pool["name"] for pool in pools(dag_names(), settings)} - names:
        yield Finding(
            "pools",
            ERROR,
            f"missing: {', '.join(sorted(missing))}; tasks of them wait for ever",
            "restart Airflow",
        )


def _runs(settings: Settings) -> Iterator[Finding]:
    from ingestion.registry import domains
    from observability.metrics.record import last_run_result
    from publishing.readers import published_at
    from warehouse import warehouse_exists
    from warehouse.duckdb_file import writing_process

    # Who writes to it would have to be waited for.
    if not warehouse_exists(settings) or (
        settings.target == "duckdb" and writing_process(settings) is not None
    ):
        return
    for domain in domains():
        last = last_run_result(domain, settings)
        when = published_at(domain, settings)
        told = f"published {when:%Y-%m-%d %H:%M} UTC" if when else "not published"
        if last is None:
            yield Finding(domain, OK, f"has not run; {told}")
        elif last.status in ("success", "skipped"):
            yield Finding(domain, OK, f"last run {last.status}; {told}")
        else:
            yield Finding(
                domain,
                ERROR if last.status == "failed" else WARNING,
                f"last run {last.status} ({last.run_id}); {told}",
                f"sluice run {domain} says why; sluice quarantine {domain}",
            )


CHECKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    _python,
    _settings,
    _disk,
    _ports,
    _warehouse,
    _models,
    _sources,
    _airflow,
    _runs,
)
