"""Results that are computed once for all test processes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common.file_lock import file_lock

WAIT_SECONDS = 300.0


def once(path: Path, make: Callable[[], Any]) -> Any:
    """Return the content of a shared JSON file; the first process computes it while the others wait."""
    with file_lock(path.with_suffix(".lock"), WAIT_SECONDS):
        if not path.exists():
            text = json.dumps(make())
            path.write_text(text)
    return json.loads(path.read_text())
