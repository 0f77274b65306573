"""Files in a landing folder: which are deliveries, which are complete, and where they go afterwards."""

import hashlib
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from common.files import fitting_name
from common.text import printable
from ingestion.files.delivery import DONE, FAILED, is_delivery, order_of
from ingestion.files.file_resource import FileResource, is_corrections

REASON = ".reason.txt"
POLL_SECONDS = 0.5


def list_deliveries(landing: Path) -> list[Path]:
    """List the deliveries in a landing folder, in the order of loading; also those in a form that is not taken.

    By name, numbers by their value, but corrections last: of several rows with the same key, the last loaded one counts.
    """
    files = (path for path in landing.iterdir() if is_delivery(path))
    return sorted(files, key=lambda path: (is_corrections(path.name), order_of(path.name)))


def find_files(resource: FileResource, landing: Path) -> list[Path]:
    """List the files of a resource in a landing folder, in the order of loading."""
    return [path for path in list_deliveries(landing) if resource.matches(path.name)]


def is_complete(path: Path, file_stable_seconds: float) -> bool:
    """Whether a file is written to its end: it has a marker that is no older, or has not changed for a while.

    Args:
        path: the file; a missing one is not complete.
        file_stable_seconds: how long a file without a marker must have been unchanged.
    """
    try:
        found = path.lstat()
    except OSError:
        return False
    try:
        if path.with_name(path.name + DONE).stat().st_mtime >= found.st_mtime:
            return True
    except OSError:
        pass
    # A copy may keep the modification time of its original; the change time (ctime) is always its own.
    return time.time() - max(found.st_mtime, found.st_ctime) >= file_stable_seconds


def version_of(path: Path) -> tuple[int, ...] | None:
    """Return a value that differs once the file has changed; None if the file does not exist."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


class Watch:
    """What a process has seen of files: one that did not change under its eyes is complete, whatever its time says.

    The time of a file may lie ahead, if the clock of its sender or of a file server does.

    Args:
        file_stable_seconds: see `is_complete`.
    """

    def __init__(self, file_stable_seconds: float) -> None:
        self.file_stable_seconds = file_stable_seconds
        self._seen: dict[Path, tuple[tuple[int, ...], float]] = {}

    def is_complete(self, path: Path) -> bool:
        """Whether a file is complete by its marker or its times, or has not changed for long enough."""
        if is_complete(path, self.file_stable_seconds):
            return True
        version, now = version_of(path), time.monotonic()
        if version is None:
            return False
        if self._seen.get(path, (None,))[0] != version:
            self._seen[path] = version, now
        return now - self._seen[path][1] >= self.file_stable_seconds

    def wait(self, files: Callable[[], list[Path]]) -> None:
        """Wait for files that are being written, but no longer than they must be unchanged.

        Args:
            files: lists the files.
        """
        deadline = time.monotonic() + self.file_stable_seconds + POLL_SECONDS
        while True:
            # Each of them, so that all are watched from the start.
            complete = [self.is_complete(path) for path in files()]
            if all(complete) or time.monotonic() >= deadline:
                return
            time.sleep(POLL_SECONDS)


def checksum_of(path: Path) -> str:
    """Return the SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def move_to_archive(path: Path, folder: Path, sha256: str) -> Path:
    """Move a file into another folder, under a name of its own if other content has its name there.

    A kill leaves the whole file in one of the two places.

    Args:
        path: the file.
        folder: the new folder, which is created if needed.
        sha256: SHA-256 of the content; empty for what is not a readable file.

    Returns:
        The new path.
    """
    target = _target(path, folder, sha256)
    path.with_name(fitting_name(path.name, DONE)).unlink(missing_ok=True)
    path.replace(target)
    return target


def move_to_rejected(path: Path, reason: str, sha256: str) -> Path:
    """Move a file that cannot be loaded to `failed`, with the reason in a file beside it; return its new path."""
    folder = path.parent / FAILED
    target = _target(path, folder, sha256)
    # The reason first, so that no file is ever there without one.
    target.with_name(fitting_name(target.name, REASON)).write_text(f"{printable(reason)}\n")
    return move_to_archive(path, folder, sha256)


def _target(path: Path, folder: Path, sha256: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    existing = folder / path.name
    if not os.path.lexists(existing):
        return existing
    if not sha256:
        return folder / f"{path.name}.{time.time_ns()}"
    taken = {path.name: checksum_of(existing) if existing.is_file() else ""}
    return folder / name_beside(taken, path.name, sha256)


def name_beside(taken: Mapping[str, str], name: str, checksum: str) -> str:
    """Return the name for a file in a folder: its own, or one with its checksum if other content has that name.

    Args:
        taken: checksums of the files in the folder, by name.
        name: the file's own name.
        checksum: SHA-256 of its content.
    """
    if taken.get(name, checksum) == checksum:
        return name
    stem, dot, suffix = name.partition(".")
    return f"{stem}.{checksum[:8]}{dot}{suffix}"
