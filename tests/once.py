"""What is made once for all processes that run tests."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common.file_lock import file_lock

WAIT_SECONDS = 300.0


def once(path: Path, make: Callable[[], Any]) -> Any:
    """What is in a JSON file of a folder that they share; the first process makes it, while the others wait."""
    with file_lock(path.with_suffix(".lock"), WAIT_SECONDS):
        if not path.exists():
            text = json.dumps(make())
            path.write_text(text)
    return json.loads(path.read_text())
