"""A lock for one process at a time, which the kernel releases however its process ends."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class FileLockedError(RuntimeError):
    """Another process kept the lock; the message has the id of that process."""


@contextmanager
def file_lock(path: Path, wait_seconds: float) -> Iterator[None]:
    """Hold the lock on a file, which is made if need be, until the block ends.

    Args:
        path: the file; it holds, for people, the id of the process that has or last had the lock.
        wait_seconds: how long to wait for another process.

    Raises:
        FileLockedError: another process still had it after that time.
    """
    deadline = time.monotonic() + wait_seconds
    with path.open("a+") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    file.seek(0)
                    holder = file.read() or "unknown"
                    raise FileLockedError(
                        f"process {holder} has {path}; waited {wait_seconds:.0f} s"
                    ) from None
                time.sleep(0.05)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
