"""Run programs in forks of a process that has imported what they need; the imports take longer than their work."""

import multiprocessing
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

from settings import DBT_PROJECT_DIR, Settings
from transformation.dbt import DbtError

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        "cli.main",
        "ingestion.load",
        "ingestion.files.archive",
        "observability.health.collect",
        "orchestration.run",
        "quality.engine_diff",
        "quality.quarantine",
        "dlt.destinations.impl.duckdb.duck",
        "dbt.cli.main",
        "dbt.adapters.duckdb",
        "pandas",
        "pyarrow.parquet",
        "streamlit",
    ]
)


def run_in_fork(
    timeout: float, settings: Settings, what: Callable[..., None], *arguments: Any
) -> tuple[int | None, str]:
    """Call a function in a new process with the environment of the settings; return its exit code and output."""
    with TemporaryDirectory() as folder:
        output = Path(folder) / "output"
        output.touch()
        environment = os.environ | settings.environment()
        child = _FORKS.Process(target=_run, args=(environment, output, what, *arguments))
        child.start()
        child.join(timeout)
        if child.is_alive():
            child.kill()
            raise TimeoutError(output.read_text())
        return child.exitcode, output.read_text()


def _run(environment: dict[str, str], output: Path, what: Callable[..., None], *arguments: Any) -> None:
    os.environ.clear()
    os.environ.update(environment)
    with output.open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    what(*arguments)


def run_dbt(
    arguments: list[str], settings: Settings, *, variables: Mapping[str, str] = MappingProxyType({})
) -> str:
    """Run one dbt command as `transformation.dbt.run_dbt` does, and return its output.

    Raises:
        DbtError: a node or the command failed.
    """
    settings.warehouse.parent.mkdir(parents=True, exist_ok=True)
    status, output = run_in_fork(600, settings, _dbt, arguments, dict(variables))
    if status:
        raise DbtError(f"dbt {arguments[0]} ended with status {status}\n{output}")
    return output


def _dbt(arguments: list[str], variables: Mapping[str, str]) -> None:
    os.environ.update(variables)
    from dbt.cli.main import cli

    os.chdir(DBT_PROJECT_DIR)
    sys.argv = ["dbt", *arguments]
    cli()
