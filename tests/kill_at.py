"""Kill a program with SIGKILL at an exact point of its work.

A test calls `run_to_death`; a program in another folder or Python is started with:

    python -m tests.kill_at package.module:Class.method before|after N program [argument ...]

The N-th call of the function named kills the process, before it begins or after it returned.
"""

import functools
import importlib
import itertools
import os
import runpy
import signal
import sys
from typing import Any

from settings import Settings
from tests.forks import run_in_fork

Point = tuple[str, str, int]

# dlt's steps of a load: copy files or rows into staging tables, merge them into the tables, complete the package.
COPY = "warehouse.duckdb_dlt:CopyParquetJob.run"
INSERT = "dlt.destinations.insert_job_client:InsertValuesLoadJob.run"
MERGE = "dlt.destinations.job_client_impl:SqlLoadJob.run"
COMPLETE = "dlt.load.load:Load.complete_package"


def arm(target: str, moment: str, nth: int) -> None:
    """Wrap the target so that its n-th call kills the process.

    Name the target by the module that calls it: a module that is already loaded holds its own reference.
    """
    module_name, _, path = target.partition(":")
    *outer, name = path.split(".")
    holder: Any = importlib.import_module(module_name)
    for part in outer:
        holder = getattr(holder, part)
    original = getattr(holder, name)
    calls = itertools.count(1)

    @functools.wraps(original)
    def killing(*args: Any, **kwargs: Any) -> Any:
        call = next(calls)  # dlt calls from several threads
        if call == nth and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*args, **kwargs)
        if call == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(holder, name, killing)


def run(point: Point, program: str, *arguments: str) -> None:
    """Run `python -m program` in this process until it dies at the point."""
    arm(*point)
    sys.argv = [program, *arguments]
    runpy.run_module(program, run_name="__main__")


def run_to_death(point: Point, settings: Settings, program: str, *arguments: str) -> None:
    """Run `python -m program` in a process of its own until it dies at the point."""
    status, output = run_in_fork(120, settings, run, point, program, *arguments)
    assert status == -signal.SIGKILL, f"{point} was not reached: {output}"


def named(point: Point) -> str:
    return f"{point[0].split(':')[1]} {point[1]} {point[2]}"


if __name__ == "__main__":
    _, target, moment, nth, *program = sys.argv
    run((target, moment, int(nth)), *program)
