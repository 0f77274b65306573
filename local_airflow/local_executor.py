"""Airflow's executor on one machine, whose end waits for tasks and for nothing else."""

import time

import psutil
from airflow.executors import local_executor

# Between two looks: who takes a task from the queue at the first one has begun it, in a process of its own, at the second.
LOOK_SECONDS = 0.5


class LocalExecutor(local_executor.LocalExecutor):
    """One that ends when its tasks have; of the same name, by which Airflow's login knows that this is one machine.

    A scheduler whose database is gone ends its executor and then itself, to be started again. Airflow 3.3.2 waits for each
    of its workers meanwhile, without a limit, and was seen to wait for ever after all tasks had ended: a scheduler that
    neither works nor ends, which nobody restarts.
    """

    def end(self) -> None:
        """Wait for the tasks that run or are queued; workers without one need not be waited for."""
        idle = False
        while not idle or self._has_work():
            idle = not self._has_work()
            self._read_results()
            time.sleep(LOOK_SECONDS)
        for worker in self.workers.values():
            worker.kill()
        super().end()

    def _has_work(self) -> bool:
        """Whether a task is queued, or a worker has the process of a task."""
        parents = {process.info["ppid"] for process in psutil.process_iter(["ppid"])}
        return bool(self._unread_messages.value or parents & self.workers.keys())
