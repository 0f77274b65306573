"""The executor's end: tasks come to theirs, and a worker that does nothing keeps nobody."""

import subprocess
import sys
from pathlib import Path

from local_airflow.configuration import airflow_environment
from settings import PROJECT_DIR, Settings

# Two workers: one has a task, the other stands still.
ENDS = """
import os, signal, subprocess, sys, time
from pathlib import Path
from types import SimpleNamespace
from airflow.executors.base_executor import BaseExecutor
from local_airflow.local_executor import LocalExecutor

def run(workload, **_):
    subprocess.run(["sleep", "3"], check=True)
    Path(sys.argv[1]).touch()

BaseExecutor.run_workload = staticmethod(run)
executor = LocalExecutor(parallelism=2)
executor.start()
task = SimpleNamespace(key="a", display_name="a", running_state=None, success_state="success", failure_state="failed")
executor.activity_queue.put(task)
with executor._unread_messages:
    executor._unread_messages.value += 1
time.sleep(1)
busy = subprocess.run(["pgrep", "--parent", ",".join(map(str, executor.workers))], capture_output=True).stdout
assert len(busy.split()) == 1
parent = int(Path(f"/proc/{int(busy)}/stat").read_text().split()[3])
(idle,) = executor.workers.keys() - {parent}
os.kill(idle, signal.SIGSTOP)
executor.end()
assert executor.event_buffer["a"][0] == "success"
"""


def test_its_end_waits_for_tasks_and_not_for_workers_that_stand_still(
    settings: Settings, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ENDS, tmp_path / "done"],
        cwd=PROJECT_DIR,
        env=airflow_environment(settings),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "done").exists()
