"""`python -m bench.turns DOMAIN bare dag …`: dbt builds and DAG runs of a domain in one started Airflow.

It is run in a copy of the checkout, by `bench.dag_against_build`, and prints one JSON object a turn.
"""

import os
import subprocess
import sys
import time

from operations.dbt import selection
from settings import DBT_PROJECT_DIR, Settings

SECONDS = 600


def bare(domain: str, settings: Settings) -> dict:
    """A dbt command of its own for the domain's models and tests; one session of `dbt build`."""
    command = [sys.executable, "-m", "dbt.cli.main", "build", *selection(domain)]
    begun = time.perf_counter()
    environment = {**os.environ, **settings.environment()}
    build = subprocess.run(
        command, cwd=DBT_PROJECT_DIR, env=environment, capture_output=True, text=True, timeout=SECONDS
    )
    seconds = time.perf_counter() - begun
    if build.returncode:
        raise RuntimeError(build.stdout[-3000:])
    return {"seconds": seconds}
