"""Counts the requests of a day against what a plan allows, across runs and processes."""

import fcntl
import os
from datetime import UTC, date, datetime
from pathlib import Path


class RequestBudget:
    """Counts each request of a day (UTC), before it is made, by a byte in the file of that day.

    Args:
        folder: where the files are.
        name: what is counted; the files are named after it.
        most: the number of requests allowed a day.
    """

    def __init__(self, folder: Path, name: str, most: int) -> None:
        self._folder = folder
        self._name = name
        self._most = most

    def take(self) -> bool:
        """Count one more request; False, without counting it, if none is left today."""
        today = self._folder / f"{self._name}_{_today():%Y-%m-%d}"
        self._folder.mkdir(parents=True, exist_ok=True)
        for other in self._folder.glob(f"{self._name}_*"):
            if other.name < today.name:
                other.unlink(missing_ok=True)
        with today.open("ab", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if os.fstat(file.fileno()).st_size >= self._most:
                return False
            file.write(b".")
            return True


def _today() -> date:
    return datetime.now(UTC).date()
