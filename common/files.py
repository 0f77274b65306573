"""What must be on the disk, and what must not stay there."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def sync(path: Path) -> None:
    """Bring a file's content, or a folder's entries, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def work_folder(folder: Path) -> Iterator[Path]:
    """An empty folder that is gone afterwards; what a killed process left there goes first."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# Bytes that the usual file systems take.
MOST_NAME_BYTES = 255


def fitting_name(name: str, suffix: str) -> str:
    """The name of a file that belongs to another one: its name and the suffix.

    If that were longer than names may be, a hash stands for the end of the name.
    """
    encoded = os.fsencode(name)
    room = MOST_NAME_BYTES - len(os.fsencode(suffix))
    if len(encoded) <= room:
        return name + suffix
    mark = f"~{hashlib.sha256(encoded).hexdigest()[:16]}"
    return encoded[: room - len(mark)].decode(errors="ignore") + mark + suffix
