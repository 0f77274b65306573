"""Keeps calls and answers on disk until the warehouse has them, so that a kill loses nothing that was paid for."""

import fcntl
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class WriteAheadLog:
    """Calls of models and their results, one JSON object a line. One process at a time holds it."""

    def __init__(self, path: Path, file: Any) -> None:
        self._path = path
        self._file = file
        self._lock = threading.Lock()

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator["WriteAheadLog"]:
        """Open the journal, waiting for any other process that holds it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield cls(path, file)

    def note_call(self, call: dict[str, Any]) -> None:
        """Note a call before it is made, and again with its outcome; the last note counts."""
        self._note({"call": call})

    def note_enrichment(self, enrichment: dict[str, Any]) -> None:
        """Note the judgement on a text, or that there is none."""
        self._note({"enrichment": enrichment})

    def contents(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """The calls and the enrichments; a line that a kill cut off is left out."""
        calls: dict[str, dict[str, Any]] = {}
        made = []
        for line in self._path.read_text().splitlines():
            try:
                noted = json.loads(line)
            except ValueError:
                continue
            if call := noted.get("call"):
                calls[call["call_id"]] = call
            else:
                made.append(noted["enrichment"])
        return list(calls.values()), made

    def clear(self) -> None:
        """Remove everything, once the warehouse has it."""
        self._file.truncate(0)

    def _note(self, what: dict[str, Any]) -> None:
        with self._lock:
            # On a line of its own even after one that was cut off.
            self._file.write(f"\n{json.dumps(what, default=str)}\n")
            self._file.flush()
