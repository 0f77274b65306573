"""A file that is being downloaded: hidden, resumable, and locked by one process."""

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
    """The bytes received so far, in `.NAME.part`, and the file that they belong to, in `.NAME.part.json`.

    Attributes:
        target: the path of the complete file.
        path: the path of the bytes until then.
        remote: the file that the bytes belong to; None if that is not known.
    """

    def __init__(self, target: Path, path: Path, file: FileIO) -> None:
        self.target = target
        self.path = path
        self._file = file
        self._note = _beside(target, "part.json")
        self.remote = RemoteFile.read(self._note)

    @classmethod
    @contextmanager
    def open(cls, target: Path) -> Iterator["ResumableDownload"]:
        """Lock the partial file of a target, waiting for other processes; an empty one is removed at the end."""
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
        """Number of bytes received so far."""
        return os.fstat(self._file.fileno()).st_size

    @property
    def source(self) -> RemoteFile | None:
        """The description of the complete file when it was downloaded; None if it is not known."""
        return RemoteFile.read(_beside(self.target, "source.json"))

    def write_source(self, remote: RemoteFile) -> None:
        """Store the description of the complete file."""
        remote.write(_beside(self.target, "source.json"))

    def clear(self) -> None:
        """Remove all bytes. The note goes first: bytes without a note are never resumed."""
        self._note.unlink(missing_ok=True)
        self.remote = None
        self._file.truncate(0)

    def begin(self, remote: RemoteFile) -> None:
        """Start from zero with a file."""
        self.clear()
        remote.write(self._note)
        self.remote = remote

    def drop_last_byte(self) -> None:
        """Remove the last byte."""
        self._file.truncate(self.size - 1)

    def append(self, data: bytes) -> None:
        """Append bytes; the operating system has them when this returns."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]

    def commit(self, remote: RemoteFile) -> None:
        """Sync the bytes to disk and rename them to the target.

        The description is stored only after that. After a kill in between, the next call finds the description of the
        previous file, which the server no longer has, and downloads this one again.
        """
        remote = replace(remote, bytes=self.size)
        os.fsync(self._file.fileno())
        self.path.replace(self.target)
        sync(self.target.parent)
        self.write_source(remote)
        self._note.unlink(missing_ok=True)


def _beside(target: Path, suffix: str) -> Path:
    return target.with_name(f".{target.name}.{suffix}")


@contextmanager
def _locked(path: Path) -> Iterator[FileIO]:
    """Open a file to append to it, once no other process has it open so."""
    while True:
        with path.open("ab", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if not _is_at(path, file):
                continue  # the process that had it has renamed or removed it
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
