"""Files that are there whole or not at all, whatever kills the process that writes them."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common.files import sync

# `.<name>.<process id>.unfinished`, and the log that DuckDB keeps beside a database under way.
UNFINISHED = re.compile(r"\..+\.(?P<pid>\d+)\.unfinished(\.wal)?")


@contextmanager
def atomic_write(target: Path) -> Iterator[Path]:
    """Give a path to write to; when the block ends without an error, that file is `target`.

    The new file is made beside the target, brought safely to disk, and takes its place by one
    rename: a reader who has the old file open keeps it, the next one to open it finds the new one.
    After an error the target is as it was. What killed processes left in the folder is removed.

    Args:
        target: the file; its folder is there.

    Raises:
        OSError: the file could not be written.
    """
    _remove_leftovers(target.parent)
    candidate = target.with_name(f".{target.name}.{os.getpid()}.unfinished")
    try:
        yield candidate
        sync(candidate)
        candidate.replace(target)
        sync(target.parent)
    finally:
        for left in (candidate, candidate.with_name(f"{candidate.name}.wal")):
            left.unlink(missing_ok=True)


def _remove_leftovers(folder: Path) -> None:
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
        pass  # another user's
    return True
