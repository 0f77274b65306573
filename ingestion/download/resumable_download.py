"""A file on its way into a folder: hidden, resumable, in the hands of one process at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import FileIO
from pathlib import Path

from common.files import sync
from ingestion.download.remote_file import RemoteFile


class ResumableDownload:
    """The bytes of a file that are here already, in `.NAME.part`; what they are of, in `.NAME.part.json`.

    Attributes:
        target: where the file will be.
        path: where its bytes are until then.
        served: the file that the bytes belong to; None if that is not known.
    """

    def __init__(self, target: Path, path: Path, file: FileIO) -> None:
        self.target = target
        self.path = path
        self._file = file
        self._note = _beside(target, "part.json")
        self.served = RemoteFile.read(self._note)

    @classmethod
    @contextmanager
    def open(cls, target: Path) -> Iterator["ResumableDownload"]:
        """Take the partial file of a target, once no other process has it; an empty one does not stay."""
        path = _beside(target, "part")
        with _locked(path) as file:
            part = cls(target, path, file)
            try:
                yield part
            finally:
                if _is_at(path, file) and part.size == 0:
                    part.clear()
                    path.unlink()

    @property
    def size(self) -> int:
        """Number of bytes that are here."""
        return os.fstat(self._file.fileno()).st_size

    @property
    def source(self) -> RemoteFile | None:
        """What the file in place was when it came; None if nobody remembers."""
        return RemoteFile.read(_beside(self.target, "source.json"))

    def clear(self) -> None:
        """Forget all bytes. The note goes first: bytes without a note are never resumed."""
        self._note.unlink(missing_ok=True)
        self.served = None
        self._file.truncate(0)

    def begin(self, served: RemoteFile) -> None:
        """Start from zero with a file."""
        self.clear()
        served.write(self._note)
        self.served = served

    def shorten(self) -> None:
        """Forget the last byte."""
        self._file.truncate(self.size - 1)

    def append(self, data: bytes) -> None:
        """Add bytes; they are with the operating system when it returns."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]

    def put_in_place(self) -> None:
        """Make the bytes, all of them on the disk, the target by one rename.

        What it was is noted only after that. Killed in between, the next call finds the note of
        the file before, which the server no longer has, and fetches this one again.
        """
        served = replace(self.served, bytes=self.size)
        os.fsync(self._file.fileno())
        self.path.replace(self.target)
        sync(self.target.parent)
        self.remember(served)
        self._note.unlink(missing_ok=True)

    def remember(self, served: RemoteFile) -> None:
        """Note what the file in place is."""
        served.write(_beside(self.target, "source.json"))


def _beside(target: Path, ending: str) -> Path:
    return target.with_name(f".{target.name}.{ending}")


@contextmanager
def _locked(path: Path) -> Iterator[FileIO]:
    """Open a file to append to it, once no other process has it open so."""
    while True:
        with path.open("ab", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if not _is_at(path, file):
                continue  # who had it before has put it in place, or thrown it away
            try:
                yield file
            finally:
                # Closing is not enough where a child process has inherited the open file.
                fcntl.flock(file, fcntl.LOCK_UN)
            return


def _is_at(path: Path, file: FileIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
