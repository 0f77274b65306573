"""The end of the local executor."""

import subprocess
import sys
from pathlib import Path

from local_airflow.configuration import airflow_environment
from settings import PROJECT_DIR, Settings


def test_its_end_waits_for_tasks_and_not_for_idle_workers(settings: Settings, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.programs.end_local_executor", tmp_path / "done"],
        cwd=PROJECT_DIR,
        env=airflow_environment(settings),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "done").exists()
