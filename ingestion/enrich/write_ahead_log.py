"""Keeps calls and their results on disk until the warehouse has them, so that a kill loses nothing that was paid for."""

import fcntl
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class WriteAheadLog:
    """Calls of models and their results, one JSON object per line. One process at a time holds it."""

    def __init__(self, path: Path, file: Any) -> None:
        self._path = path
        self._file = file
        self._lock = threading.Lock()

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator["WriteAheadLog"]:
        """Open the log, waiting for any other process that holds it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield cls(path, file)

    def add_call(self, call: dict[str, Any]) -> None:
        """Record a call before it is made, and again with its outcome; the last record counts."""
        self._add({"call": call})

    def add_enrichment(self, enrichment: dict[str, Any]) -> None:
        """Record the enrichment of a text, or that it failed."""
        self._add({"enrichment": enrichment})

    def read(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return the calls and the enrichments, without a line that a kill cut off."""
        calls: dict[str, dict[str, Any]] = {}
        enrichments = []
        for line in self._path.read_text().splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if call := record.get("call"):
                calls[call["call_id"]] = call
            else:
                enrichments.append(record["enrichment"])
        return list(calls.values()), enrichments

    def clear(self) -> None:
        """Remove everything, once the warehouse has it."""
        self._file.truncate(0)

    def _add(self, record: dict[str, Any]) -> None:
        with self._lock:
            # On a line of its own even after one that was cut off.
            self._file.write(f"\n{json.dumps(record, default=str)}\n")
            self._file.flush()
