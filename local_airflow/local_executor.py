"""Airflow's local executor, whose end waits for tasks alone."""

import time

import psutil
from airflow.executors import local_executor

# Between two looks: a worker that takes a task from the queue at the first has started its process at the second.
LOOK_SECONDS = 0.5


class LocalExecutor(local_executor.LocalExecutor):
    """A local executor that ends as soon as its tasks have ended.

    A scheduler that loses its database ends its executor and then itself, to be restarted. Airflow 3.3.2 waits for each
    worker without a limit, and was seen to wait for ever after all tasks had ended, so that nothing restarted it. The
    class keeps its name, by which Airflow's login recognizes an installation on one machine.
    """

    def end(self) -> None:
        """Wait for running and queued tasks; kill workers without a task."""
        idle = False
        while not idle or self._has_work():
            idle = not self._has_work()
            self._read_results()
            time.sleep(LOOK_SECONDS)
        for worker in self.workers.values():
            worker.kill()
        super().end()

    def _has_work(self) -> bool:
        """Whether a task is queued, or a worker has a process for a task."""
        parents = {process.info["ppid"] for process in psutil.process_iter(["ppid"])}
        return bool(self._unread_messages.value or parents & self.workers.keys())
