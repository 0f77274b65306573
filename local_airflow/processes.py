"""Airflow's processes: free ports, one start per data folder, no process left behind."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

import psutil

from common.atomic_write import atomic_write

# `dbt docs serve` takes this one, and no variable changes that: Airflow begins with the next.
DOCS_PORT = 8080
FIRST_PORT = DOCS_PORT + 1
# A scheduler waits for its tasks. More time is not needed: the next run repeats their work.
STOP_SECONDS = 4


class AirflowError(RuntimeError):
    """Airflow did not start, or a component died; the message names it and shows its log."""


def free_port(first: int = FIRST_PORT, host: str = "127.0.0.1") -> int:
    """Return the first free port of `host` from `first` upward.

    Raises:
        AirflowError: a hundred ports are taken.
    """
    for port in range(first, first + 100):
        with socket.socket() as probe:
            # As servers do: a port that was closed a moment ago counts as free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise AirflowError(f"no free port from {first} to {first + 99}")


class Lock:
    """A lock by which one Airflow at a time uses a data folder.

    It belongs to an open file, which Airflow's processes inherit, so that it is released when the last of them has ended,
    however it ended. A file beside it has facts about the holder.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._facts = path.with_suffix(".json")
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Acquire the lock. Raises AirflowError if a process holds it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("a")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = self._describe()
            self._file.close()
            raise AirflowError(
                f"Airflow already runs on {self._path.parent} ({holder}). Stop it first, or use another data folder."
            ) from None
        self.note(pid=os.getpid())

    def note(self, **facts) -> None:
        """Write facts about the holder."""
        # Other processes read them at any time.
        with atomic_write(self._facts) as written:
            written.write_text(json.dumps(facts))

    def facts(self) -> dict:
        """Return the facts about the present or last holder; empty if there was none."""
        try:
            return json.loads(self._facts.read_text())
        except (OSError, ValueError):
            return {}

    def fileno(self) -> int:
        """The descriptor that Airflow's processes inherit."""
        return self._file.fileno()

    def release(self) -> None:
        """Release the lock; it is free when the processes that inherited it have ended as well."""
        self._file.close()

    def _describe(self) -> str:
        facts = self.facts()
        if not facts:
            return "starting"
        if psutil.pid_exists(facts["pid"]):
            return f"process {facts['pid']}, {facts.get('url', 'starting')}"
        left = " ".join(str(pid) for pid in facts.get("children", []) if psutil.pid_exists(pid))
        return f"process {facts['pid']} was killed and left processes {left}"


class Component:
    """A process of Airflow with its log file."""

    def __init__(self, name: str, arguments: list[str], environment: dict[str, str], log: Path, lock: Lock):
        """Start the process. `arguments` are those of `python`."""
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl-C in the terminal reaches only the parent, which stops its children in order.
                start_new_session=True,
                pass_fds=[lock.fileno()],
            )

    def check(self) -> None:
        """Raise AirflowError with the end of the log if the process has ended."""
        if self.process.poll() is not None:
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])
            raise AirflowError(
                f"Airflow's {self.name} ended with status {self.process.returncode}.\n{tail}\nFull log: {self.log}"
            )


def stop(components: list[Component]) -> None:
    """End the components and all their processes, the last one first; kill those that do not end in time."""
    family: list[psutil.Process] = []
    for component in components:
        with suppress(psutil.NoSuchProcess):
            head = psutil.Process(component.process.pid)
            family += [*head.children(recursive=True), head]
    for component in reversed(components):
        # The whole group: a scheduler alone would wait for its tasks to finish.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(component.process.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    for component in components:
        with suppress(subprocess.TimeoutExpired):
            component.process.wait(max(0.1, deadline - time.monotonic()))
    # A scheduler that was still starting has workers that it had not when the signal came, and that ignore it.
    _, alive = psutil.wait_procs({*family, *_members(components)}, timeout=1)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=5)
    for component in components:
        component.process.wait()


def _members(components: list[Component]) -> Iterator[psutil.Process]:
    """Yield the processes that belong to the sessions of components, also of those that have ended."""
    sessions = {component.process.pid for component in components}
    for process in psutil.process_iter():
        with suppress(ProcessLookupError, PermissionError):
            if os.getsid(process.pid) in sessions:
                yield process
