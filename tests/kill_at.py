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
import sys
from typing import Any


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


if __name__ == "__main__":
    _, target, moment, nth, program, *arguments = sys.argv
    arm(target, moment, int(nth))
    sys.argv = [program, *arguments]
    runpy.run_module(program, run_name="__main__")
