"""Runs a module as a program that dies by SIGKILL at an exact point of its work.

    python -m tests.kill_at package.module:Class.method before|after N program [argument ...]

The N-th call of the function named kills the process, before it begins or after it returned.
"""

import functools
import importlib
import itertools
import os
import runpy
import signal
import subprocess
import sys
from typing import Any

from settings import PROJECT_DIR, Settings

Point = tuple[str, str, int]


def arm(target: str, moment: str, nth: int) -> None:
    """Replace the target by itself with a death at its n-th call."""
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


def run_to_death(point: Point, settings: Settings, *arguments: str) -> None:
    """Run `python -m ingestion` with these arguments until it dies there."""
    target, moment, nth = point
    command = [sys.executable, "-m", "tests.kill_at", target, moment, str(nth), "ingestion", *arguments]
    environment = os.environ | settings.environment()
    done = subprocess.run(
        command, cwd=PROJECT_DIR, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == -signal.SIGKILL, f"{point} was not reached: {done.stdout}{done.stderr}"


def named(point: Point) -> str:
    return f"{point[0].split(':')[1]} {point[1]} {point[2]}"


if __name__ == "__main__":
    _, target, moment, nth, program, *arguments = sys.argv
    arm(target, moment, int(nth))
    sys.argv = [program, *arguments]
    runpy.run_module(program, run_name="__main__")
