"""Syncing to disk, work folders and file names."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def sync(path: Path) -> None:
    """Write a file's content, or a folder's entries, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def work_folder(folder: Path) -> Iterator[Path]:
    """Create an empty folder and remove it when the block ends; a killed process's remains are removed first."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# The limit of common file systems.
MAX_NAME_BYTES = 255


def fitting_name(name: str, suffix: str) -> str:
    """Return a name and a suffix, with a hash in place of the name's end if that would be too long."""
    encoded = os.fsencode(name)
    room = MAX_NAME_BYTES - len(os.fsencode(suffix))
    if len(encoded) <= room:
        return name + suffix
    mark = f"~{hashlib.sha256(encoded).hexdigest()[:16]}"
    return encoded[: room - len(mark)].decode(errors="ignore") + mark + suffix
