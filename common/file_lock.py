"""A lock for one process at a time, which the kernel releases when its process ends, however it ends."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class FileLockedError(RuntimeError):
    """Another process kept the lock; the message names its id."""


@contextmanager
def file_lock(path: Path, wait_seconds: float) -> Iterator[None]:
    """Hold the lock on a file, which is created if needed, until the block ends.

    Args:
        path: the file; it contains the id of the process that holds or last held the lock.
        wait_seconds: how long to wait for another process.

    Raises:
        FileLockedError: another process kept it for that time.
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
                        f"process {holder} holds {path}; waited {wait_seconds:.0f} s"
                    ) from None
                time.sleep(0.05)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
