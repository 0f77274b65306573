"""End a local executor of two workers, one of which has a task while the other stands still; argument: a file that the task makes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

from airflow.executors.base_executor import BaseExecutor

from local_airflow.local_executor import LocalExecutor


def run(workload: object, **_: object) -> None:
    subprocess.run(["sleep", "3"], check=True)
    Path(sys.argv[1]).touch()


BaseExecutor.run_workload = staticmethod(run)
executor = LocalExecutor(parallelism=2)
executor.start()
task = SimpleNamespace(
    key="a", display_name="a", running_state=None, success_state="success", failure_state="failed"
)
executor.activity_queue.put(task)
with executor._unread_messages:
    executor._unread_messages.value += 1
time.sleep(1)
workers = ",".join(map(str, executor.workers))
busy = subprocess.run(["pgrep", "--parent", workers], capture_output=True).stdout
assert len(busy.split()) == 1
parent = int(Path(f"/proc/{int(busy)}/stat").read_text().split()[3])
(idle,) = executor.workers.keys() - {parent}
os.kill(idle, signal.SIGSTOP)
executor.end()
assert executor.event_buffer["a"][0] == "success"
