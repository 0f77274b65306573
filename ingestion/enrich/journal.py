"""What was asked and answered, on the disk before it is in the warehouse: what was paid for is not lost by a kill."""

import fcntl
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Journal:
    """Calls of models and what they brought, a JSON object a line. One process at a time has it."""

    def __init__(self, path: Path, file: Any) -> None:
        self._path = path
        self._file = file
        self._lock = threading.Lock()

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator["Journal"]:
        """Open the journal, waiting for another process that has it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield cls(path, file)

    def note_call(self, call: dict[str, Any]) -> None:
        """Note a call that is to be made, and again what became of it; the last note counts."""
        self._note({"call": call})

    def note_enrichment(self, enrichment: dict[str, Any]) -> None:
        """Note what was made of a text."""
        self._note({"enrichment": enrichment})

    def contents(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """The calls and the enrichments; a line that a kill cut off is none."""
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
        """Forget all, which the warehouse has now."""
        self._file.truncate(0)

    def _note(self, what: dict[str, Any]) -> None:
        with self._lock:
            # A line of its own, also after one that was cut off.
            self._file.write(f"\n{json.dumps(what, default=str)}\n")
            self._file.flush()
