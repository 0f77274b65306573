"""The number of requests per day that a plan allows, across runs and processes."""

import fcntl
import os
from datetime import UTC, date, datetime
from pathlib import Path


class RequestBudget:
    """Counts each request of a day (UTC), before it is sent, as one byte in the file of that day.

    Args:
        folder: the folder of the files.
        name: prefix of the names of the files.
        limit: the number of requests per day.
    """

    def __init__(self, folder: Path, name: str, limit: int) -> None:
        self._folder = folder
        self._name = name
        self._limit = limit

    def take(self) -> bool:
        """Count one more request; return False, without counting it, if none is left today."""
        today = self._folder / f"{self._name}_{_today():%Y-%m-%d}"
        self._folder.mkdir(parents=True, exist_ok=True)
        for other in self._folder.glob(f"{self._name}_*"):
            if other.name < today.name:
                other.unlink(missing_ok=True)
        with today.open("ab", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            is_left = os.fstat(file.fileno()).st_size < self._limit
            if is_left:
                file.write(b".")
            return is_left


def _today() -> date:
    return datetime.now(UTC).date()
