"""`sluice airflow run` on the sample input of all domains, from Airflow's start to its stop: cold and warm."""

import shutil
import tempfile
from pathlib import Path

from bench.measuring import copy_checkout, progress, run, spread, table

RUNS = 3


def measure(quick: bool) -> tuple[str, dict]:
    """Run a copy of the checkout without a data folder but its input, then with what the run before left."""
    seconds: dict[str, list[float]] = {"cold": [], "warm": []}
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        checkout = copy_checkout(Path(folder))
        data = checkout / "data"
        # The first use of a checkout compiles its Python files; that is no part of a data folder's cold start.
        run(["-m", "compileall", "-q", "."], cwd=checkout, data_dir=data)
        for number in range(1 if quick else RUNS):
            shutil.rmtree(data, ignore_errors=True)
            run(["-m", "cli", "samples"], cwd=checkout, data_dir=data)
            for state, times in seconds.items():
                progress(f"{state} run {number + 1}")
                times.append(run(["-m", "cli", "airflow", "run"], cwd=checkout, data_dir=data).seconds)
    rows = [[state, str(len(times)), spread(times)] for state, times in seconds.items()]
    return table(["data folder", "runs", "seconds"], rows), seconds
