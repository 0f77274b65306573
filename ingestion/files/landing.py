"""Files in a landing folder: which of them are deliveries, which are complete, and where they go afterwards."""

import hashlib
import time
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from common.files import fitting_name

SUFFIXES = (".csv", ".csv.gz", ".parquet")
# Files of these names carry lines of several entities, replacements of rows loaded before.
CORRECTIONS = "corrections*"
# A marker file, named after a file with this suffix, says that the file is complete.
DONE = ".done"
# Folder within the landing folder for files that cannot be loaded, each with a file that says why.
FAILED = "failed"
REASON = ".reason.txt"
LOOK_SECONDS = 0.5


def is_corrections(name: str) -> bool:
    """Whether a file of this name has lines for every feed of its domain."""
    return fnmatchcase(name, CORRECTIONS)


def delivered(landing: Path) -> list[Path]:
    """Everything in a landing folder whose name says that it is data, in the order of loading.

    Other names (`.part` of an upload under way, hidden files) are no deliveries.
    """
    files = (
        path
        for path in landing.iterdir()
        if path.name.lower().endswith(SUFFIXES) and not path.name.startswith(".")
    )
    return sorted(files, key=lambda path: (is_corrections(path.name), path.name))


def is_complete(path: Path, file_stable_seconds: float) -> bool:
    """Whether a file has been written to its end: it has a marker that is no older, or has not changed for a while.

    Args:
        path: the file; one that is gone is not complete.
        file_stable_seconds: how long a file without a marker must have been unchanged.
    """
    try:
        found = path.stat()
    except OSError:
        return False
    try:
        if path.with_name(path.name + DONE).stat().st_mtime >= found.st_mtime:
            return True
    except OSError:
        pass
    # A copy may keep the modification time of its original; the change time (ctime) is always its own.
    return time.time() - max(found.st_mtime, found.st_ctime) >= file_stable_seconds


def state_of(path: Path) -> tuple[int, ...] | None:
    """A value that differs once the file has changed; None if the file is gone."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def wait_until_complete(files: Callable[[], list[Path]], file_stable_seconds: float) -> list[Path]:
    """The complete ones among some files, after a wait for those that have just been written.

    Args:
        files: lists the files.
        file_stable_seconds: see `is_complete`; also the longest wait.
    """
    deadline = time.monotonic() + file_stable_seconds
    while True:
        found = files()
        complete = [path for path in found if is_complete(path, file_stable_seconds)]
        if len(complete) == len(found) or time.monotonic() >= deadline:
            return complete
        time.sleep(LOOK_SECONDS)


def move_to_archive(path: Path, folder: Path) -> Path:
    """Move a file into another folder; if its name is taken there by another content, it gets a name of its own.

    A kill leaves the whole file in one of the two places.

    Returns:
        Where the file is now.
    """
    target = _place(path, folder)
    path.with_name(fitting_name(path.name, DONE)).unlink(missing_ok=True)
    path.replace(target)
    return target


def refuse(path: Path, reason: str) -> Path:
    """Move a file that cannot be loaded to `failed`, with the reason in a file beside it; return where it is now."""
    folder = path.parent / FAILED
    target = _place(path, folder)
    # The reason first, so that no file is ever there without one.
    target.with_name(fitting_name(target.name, REASON)).write_text(f"{reason}\n")
    return move_to_archive(path, folder)


def _place(path: Path, folder: Path) -> Path:
    """A free path for a file in a folder, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    own = folder / path.name
    if not path.is_file():  # a folder under the name of a file
        return own if not own.exists() else folder / f"{path.name}.{time.time_ns()}"
    taken = {path.name: checksum_of(own) if own.is_file() else ""} if own.exists() else {}
    return folder / name_beside(taken, path.name, checksum_of(path))


def name_beside(taken: Mapping[str, str], name: str, checksum: str) -> str:
    """The name for a file in a folder: its own, or one with the checksum in it if another content has that name.

    Args:
        taken: checksums of the files that are there, by name.
        name: the file's own name.
        checksum: SHA-256 of its content.
    """
    if taken.get(name, checksum) == checksum:
        return name
    stem, dot, suffix = name.partition(".")
    return f"{stem}.{checksum[:8]}{dot}{suffix}"


def checksum_of(path: Path) -> str:
    """SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
