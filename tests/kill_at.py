"""Programs that die by SIGKILL at an exact point of their work.

A test calls `run_to_death`; what runs in another folder or Python is started by hand:

    python -m tests.kill_at package.module:Class.method before|after N program [argument ...]

The N-th call of the function named kills the process, before it begins or after it returned.
"""

import functools
import importlib
import itertools
import multiprocessing
import os
import runpy
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from settings import Settings

Point = tuple[str, str, int]

# dlt's steps of a load: files or rows come into staging tables, from there into the tables, and the package is done.
COPY = "dlt.destinations.impl.duckdb.duck:DuckDbCopyJob.run"
INSERT = "dlt.destinations.insert_job_client:InsertValuesLoadJob.run"
MERGE = "dlt.destinations.job_client_impl:SqlLoadJob.run"
COMPLETE = "dlt.load.load:Load.complete_package"

# Children are forked from a process that has loaded what they run, which takes longer than their work.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        "ingestion.__main__",
        "operations.__main__",
        "operations.metrics.record",
        "dlt.destinations.impl.duckdb.duck",
    ]
)


def arm(target: str, moment: str, nth: int) -> None:
    """Replace the target by itself with a death at its n-th call.

    It is named by the module that calls it: one that was loaded before has what it imported from another.
    """
    module_name, _, path = target.partition(":")
    *outer, name = path.split(".")
    holder: Any = importlib.import_module(module_name)
    for part in outer:
        holder = getattr(holder, part)
    original = getattr(holder, name)
    calls = itertools.count(1)

    @functools.wraps(original)
    def deadly(*args: Any, **kwargs: Any) -> Any:
        call = next(calls)  # dlt calls from several threads
        if call == nth and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*args, **kwargs)
        if call == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(holder, name, deadly)


def run(point: Point, program: str, *arguments: str) -> None:
    """Run `python -m program` in this process, which dies at the point."""
    arm(*point)
    sys.argv = [program, *arguments]
    runpy.run_module(program, run_name="__main__")


def run_to_death(point: Point, settings: Settings, program: str, *arguments: str) -> None:
    """Run `python -m program` in a process of its own until it dies at the point."""
    with TemporaryDirectory() as folder:
        output = Path(folder) / "output"
        environment = os.environ | settings.environment()
        child = _FORKS.Process(target=_run_in_child, args=(environment, output, point, program, *arguments))
        child.start()
        child.join(timeout=120)
        child.kill()
        child.join()
        assert child.exitcode == -signal.SIGKILL, f"{point} was not reached: {output.read_text()}"


def _run_in_child(environment: dict[str, str], output: Path, *what: Any) -> None:
    os.environ.clear()
    os.environ.update(environment)
    with output.open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    run(*what)


def named(point: Point) -> str:
    return f"{point[0].split(':')[1]} {point[1]} {point[2]}"


if __name__ == "__main__":
    _, target, moment, nth, *program = sys.argv
    run((target, moment, int(nth)), *program)
