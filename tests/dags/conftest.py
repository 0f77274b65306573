"""DAG files as Airflow parses them."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import settings
from local_airflow.configuration import airflow_environment
from tests.once import once
from tests.parsed import Parsed

Program = Callable[..., Any]


@pytest.fixture(scope="session")
def prod(tmp_path_factory: pytest.TempPathFactory, project: Parsed) -> settings.Settings:
    """Settings with a parsed dbt project."""
    return project.put(settings.Settings(data_dir=tmp_path_factory.mktemp("data"), env="prod"))


@pytest.fixture(scope="session")
def program(prod: settings.Settings) -> Program:
    """Run a program of this folder with the environment of Airflow's processes; return what it answers."""
    environment = airflow_environment(prod, port=1)

    def run(name: str, *arguments: str, **variables: str) -> Any:
        done = subprocess.run(
            [sys.executable, Path(__file__).with_name(f"{name}.py"), *arguments],
            env={**environment, **variables},
            cwd=settings.PROJECT_DIR,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.rpartition("RESULT")[2])

    return run


@pytest.fixture(scope="session")
def two_parses(program: Program, shared_folder: Path) -> list[dict[str, Any]]:
    """Two parses of all DAGs, each by a process of its own."""
    path = shared_folder / "two_parses.json"
    return once(path, lambda: [program("parse_dags", PYTHONHASHSEED=seed) for seed in ("1", "7")])


@pytest.fixture(scope="session")
def parsed(two_parses: list[dict[str, Any]]) -> dict[str, Any]:
    """The DAGs of the environment `prod`, by id."""
    return two_parses[0]["dags"]


@pytest.fixture(scope="session")
def dev(program: Program, shared_folder: Path) -> dict[str, Any]:
    """The DAGs of the environment `dev`, where two have no schedule, and collisions have an API."""
    variables = {
        "SLUICE_SCHEDULE_TAXI": "none",
        "SLUICE_SCHEDULE_SALES": "none",
        "SLUICE_COLLISIONS_API_URL": "http://127.0.0.1:1",
    }
    path = shared_folder / "dev.json"
    return once(path, lambda: program("parse_dags", SLUICE_ENV="dev", **variables))["dags"]


@pytest.fixture(scope="session")
def changed(program: Program, shared_folder: Path) -> dict[str, Any]:
    """A parse with variables of single domains, one of which is wrong."""
    variables = {
        "SLUICE_SCHEDULE_TAXI": "@monthly",
        "SLUICE_START_TAXI": "2024-05-01",
        "SLUICE_SCHEDULE_ECOMMERCE": "15 4 * * *",
        "SLUICE_SCHEDULE_SALES": "15 * * * *",
        "SLUICE_SCHEDULE_COLLISIONS": "nonsense",
    }
    return once(shared_folder / "changed.json", lambda: program("parse_dags", **variables))


def before(tasks: dict[str, Any], name: str) -> set[str]:
    """Return the tasks without whose success a task does not run."""
    found, todo = set(), [name]
    while todo:
        task = tasks[todo.pop()]
        # `none_failed`: what has nothing to do is skipped. A task that runs however its upstream ended makes nothing before it certain.
        if task["trigger_rule"] in ("all_success", "none_failed"):
            todo += set(task["upstream"]) - found
            found |= set(task["upstream"])
    return found
