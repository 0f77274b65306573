"""What an Airflow with nothing to do takes of a core: `sluice airflow start`, each of its components."""

import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil

from bench.measuring import MeasuringError, progress, table
from settings import PROJECT_DIR, Settings

START_SECONDS = 300
# Until every file in dags/ has been read and the processes that read them have ended.
SETTLE_SECONDS = 60
SECONDS = 300
# A part of each component's command line; what has none of them is the command itself.
COMPONENTS = {
    "api_server": "api-server",
    "dag-processor": "DAG processor",
    "scheduler": "scheduler",
    "LocalExecutor": "scheduler",
    "triggerer": "triggerer",
}


def measure(quick: bool) -> tuple[str, dict]:
    """Start Airflow on an empty data folder, wait until it is idle, and read the CPU time of its processes."""
    seconds = 20 if quick else SECONDS
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        settings = Settings(data_dir=Path(folder) / "data", env="dev")
        log = Path(folder) / "log"
        with log.open("w") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "cli", "airflow", "start"],
                cwd=PROJECT_DIR,
                env=os.environ | settings.environment(),
                stdout=output,
                stderr=output,
            )
        try:
            _await(process, log)
            progress(f"{SETTLE_SECONDS} s until it is idle")
            time.sleep(SETTLE_SECONDS)
            progress(f"{seconds} s of measuring")
            before, begun = _cpu_seconds(process.pid), time.monotonic()
            time.sleep(seconds)
            passed, after = time.monotonic() - begun, _cpu_seconds(process.pid)
        finally:
            process.terminate()
            process.wait()
    shares = {name: (after[name] - before.get(name, 0)) / passed for name in after}
    shares["all"] = sum(shares.values())
    rows = [[name, f"{share:.3f}"] for name, share in shares.items()]
    return table(["component", f"share of a core over {seconds} s"], rows), shares


def _await(process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while "Open http" not in log.read_text():
        if process.poll() is not None or time.monotonic() > deadline:
            raise MeasuringError(f"Airflow did not start:\n{log.read_text()[-3000:]}")
        time.sleep(0.5)


def _cpu_seconds(pid: int) -> dict[str, float]:
    """Return the CPU time of each component so far, with that of its children that have ended."""
    found: dict[str, float] = {}
    command = psutil.Process(pid)
    for process in [command, *command.children(recursive=True)]:
        with suppress(psutil.Error):
            line = " ".join(process.cmdline())
            name = next((name for part, name in COMPONENTS.items() if part in line), "sluice airflow start")
            found[name] = found.get(name, 0.0) + sum(process.cpu_times()[:4])
    return found
