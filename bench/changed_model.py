"""The development loop: a changed model, built and tested by `dbt build -s MODEL` in `dbt_project/`."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.measuring import MeasuringError, copy_checkout, progress, run, spread, table

RUNS = 5
# One of each layer.
MODELS = {
    "stg_taxi__trips": "clean/taxi/stg_taxi__trips.sql",
    "fct_trips": "marts/taxi/fct_trips.sql",
    "agg_trips_by_day": "marts/taxi/agg_trips_by_day.sql",
}


def measure(quick: bool) -> tuple[str, dict]:
    """Change each model some times by a comment, and build it, as a person does at a prompt."""
    seconds: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        checkout = copy_checkout(Path(folder))
        data = checkout / "data"
        run(["-m", "cli", "samples", "taxi"], cwd=checkout, data_dir=data)
        run(["-m", "cli", "run", "taxi"], cwd=checkout, data_dir=data)
        for model, path in MODELS.items():
            progress(model)
            file = checkout / "dbt_project" / "models" / path
            times = []
            for number in range(2 if quick else RUNS + 1):
                file.write_text(f"{file.read_text()}-- {number}\n")
                times.append(_build(model, checkout))
            # The first fills caches.
            seconds[model] = times[1:]
    rows = [[f"`dbt build -s {model}`", str(len(times)), spread(times)] for model, times in seconds.items()]
    return table(["command", "runs", "seconds"], rows), seconds


def _build(model: str, checkout: Path) -> float:
    # Nothing but what a shell has: dbt finds the project and its profile in the folder.
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("DBT_", "SLUICE_"))
    }
    begun = time.perf_counter()
    done = subprocess.run(
        [Path(sys.executable).with_name("dbt"), "build", "-s", model],
        cwd=checkout / "dbt_project",
        env=environment,
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - begun
    if done.returncode:
        raise MeasuringError(f"dbt build -s {model} ended with {done.returncode}:\n{done.stdout[-3000:]}")
    return seconds
