"""Airflow's database before its first process starts."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping

from local_airflow.processes import AirflowError


def migrate(environment: Mapping[str, str]) -> None:
    """Create or upgrade the database. Raises AirflowError if that fails."""
    _airflow(environment, "db", "migrate")


def set_pools(environment: Mapping[str, str], pools: list[dict]) -> None:
    """Create the pools, or set the slots of those that exist. Raises AirflowError if that fails."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({pool["name"]: pool for pool in pools}, file)
        file.flush()
        _airflow(environment, "pools", "import", file.name)


def _airflow(environment: Mapping[str, str], *words: str) -> None:
    command = [sys.executable, "-m", "airflow", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise AirflowError(f"airflow {' '.join(words)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
