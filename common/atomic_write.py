"""Files that are complete or absent, even if the process that writes them is killed."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common.files import sync

# `.<name>.<process id>.unfinished`, and the log that DuckDB keeps beside an open database.
UNFINISHED = re.compile(r"\..+\.(?P<pid>\d+)\.unfinished(\.wal)?")


@contextmanager
def atomic_write(target: Path) -> Iterator[Path]:
    """Give a path to write to, and replace `target` by that file if the block ends without an error.

    The new file is written beside the target, synced to disk and renamed: open readers keep the old
    file, later ones get the new one. After an error the target is unchanged. Files that killed
    processes have left in the folder are removed.

    Args:
        target: the file; its folder exists.

    Raises:
        OSError: the file could not be written.
    """
    _clean_up(target.parent)
    candidate = target.with_name(f".{target.name}.{os.getpid()}.unfinished")
    try:
        yield candidate
        sync(candidate)
        candidate.replace(target)
        sync(target.parent)
    finally:
        for path in (candidate, candidate.with_name(f"{candidate.name}.wal")):
            path.unlink(missing_ok=True)


def _clean_up(folder: Path) -> None:
    for path in folder.glob(".*.unfinished*"):
        name = UNFINISHED.fullmatch(path.name)
        if name and not _is_alive(int(name["pid"])):
            path.unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it belongs to another user
    return True
