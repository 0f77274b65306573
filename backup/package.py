"""The file of a backup: a tar archive whose last member lists the checksums of the others, encrypted if wanted.

It is written and read as a stream, so that it may lie in an object store: a folder or any URL that fsspec knows.
"""

import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from threading import Thread
from typing import IO, Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from backup.errors import BackupError

CHECKSUMS = "checksums.json"
# The programs that encrypt, by how the recipient is written; each reads its input and writes to its output.
AGE = "age1"
SUFFIXES = {"age": ".age", "gpg": ".gpg"}


def write_package(folder: Path, facts: dict[str, Any], target: IO[bytes]) -> None:
    """Write the content of a folder, with the names that files share, and at the end their checksums and the facts."""
    checksums: dict[str, str] = {}
    with tarfile.open(fileobj=target, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(folder.rglob("*")):
            member = archive.gettarinfo(path, path.relative_to(folder).as_posix())
            if member.isreg():
                with path.open("rb") as file:
                    # Of what is written, also if somebody else changes the file meanwhile.
                    read = _Hashed(file)
                    archive.addfile(member, read)
                checksums[member.name] = read.hash.hexdigest()
            else:
                archive.addfile(member)
                if member.islnk():
                    checksums[member.name] = checksums[member.linkname]
        text = json.dumps({**facts, "files": checksums}, indent=1).encode()
        member = tarfile.TarInfo(CHECKSUMS)
        member.size = len(text)
        member.mode = 0o600
        archive.addfile(member, io.BytesIO(text))


class _Hashed:
    """A file that is hashed while it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        part = self._file.read(size)
        self.hash.update(part)
        return part


def read_package(source: IO[bytes], folder: Path) -> dict[str, Any]:
    """Unpack into an empty folder, and return the facts once every file has its checksum.

    Raises:
        BackupError: the backup is cut off, changed or none.
    """
    try:
        with tarfile.open(fileobj=source, mode="r|") as archive:
            # No member may lie outside of the folder, or be a device.
            archive.extractall(folder, filter="data")
    except (tarfile.TarError, OSError, EOFError) as error:
        raise BackupError(f"it is no complete backup: {error}") from error
    listed = folder / CHECKSUMS
    if not listed.exists():
        raise BackupError("it is no complete backup: its list of checksums is missing")
    facts = json.loads(listed.read_text())
    listed.unlink()
    found = {
        path.relative_to(folder).as_posix(): _checksum(path)
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }
    wrong = sorted(name for name in {*found, *facts["files"]} if found.get(name) != facts["files"].get(name))
    if wrong:
        raise BackupError(f"these files are not as they were saved: {', '.join(wrong[:5])}")
    return facts


@contextmanager
def opened_for_writing(url: str, recipient: str | None) -> Iterator[IO[bytes]]:
    """Open a file in a folder or an object store; it appears when the block has ended without an error.

    Args:
        url: path or URL.
        recipient: whom to encrypt for: a public key of age (`age1…`) or a key of GnuPG's; None for not at all.

    Raises:
        BackupError: the program that encrypts is missing or refuses.
    """
    filesystem, path = fsspec.core.url_to_fs(url)
    is_local = isinstance(filesystem, LocalFileSystem)
    if is_local:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    # An object store shows a file when it is closed.
    written = f"{path}.unfinished" if is_local else path
    try:
        with _private(written) if is_local else filesystem.open(written, "wb") as file:
            if recipient:
                with _encrypted(recipient, into=file) as piped:
                    yield piped
            else:
                yield file
        if is_local:
            Path(written).replace(path)
    except BaseException:
        if is_local:
            Path(written).unlink(missing_ok=True)
        elif filesystem.exists(path):
            filesystem.rm(path)
        raise


def _private(path: str) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


@contextmanager
def opened_for_reading(url: str, identity: str | None) -> Iterator[IO[bytes]]:
    """Open a backup, decrypted by the suffix of its name.

    Raises:
        BackupError: it does not exist, or cannot be decrypted.
    """
    filesystem, path = fsspec.core.url_to_fs(url)
    if not filesystem.exists(path):
        raise BackupError(f"there is no backup {url}")
    with filesystem.open(path, "rb") as file:
        command = _decrypt(path, identity)
        if not command:
            yield file
            return
        with _running(command) as process:
            feeder = Thread(target=_copy, args=(file, process.stdin))
            feeder.start()
            try:
                yield process.stdout
            finally:
                process.stdout.close()
                feeder.join()


@contextmanager
def _encrypted(recipient: str, into: IO[bytes]) -> Iterator[IO[bytes]]:
    with _running(_encrypt(recipient)) as process:
        drain = Thread(target=shutil.copyfileobj, args=(process.stdout, into, 1 << 20))
        drain.start()
        try:
            yield process.stdin
        finally:
            with suppress(BrokenPipeError):
                process.stdin.close()
            drain.join()


@contextmanager
def _running(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program between two streams.

    Raises:
        BackupError: it is not installed, or fails; also if the block fails because the program has ended.
    """
    if not shutil.which(command[0]):
        raise BackupError(f"{command[0]} is not installed")
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said) as process,
    ):
        failed: Exception | None = None
        try:
            yield process
        except (BrokenPipeError, BackupError) as error:
            failed = error
        if process.wait() not in (0, -signal.SIGPIPE):
            said.seek(0)
            raise BackupError(
                f"{command[0]}: {said.read().decode(errors='replace').strip()[-500:]}"
            ) from failed
        if failed:
            raise failed


def _copy(source: IO[bytes], target: IO[bytes]) -> None:
    with suppress(BrokenPipeError), target:
        shutil.copyfileobj(source, target, 1 << 20)


def suffix(recipient: str | None) -> str:
    """Return how the name of a backup ends that is encrypted for somebody."""
    return SUFFIXES[_encrypt(recipient)[0]] if recipient else ""


def _encrypt(recipient: str) -> list[str]:
    if recipient.startswith(AGE):
        return ["age", "--recipient", recipient]
    return ["gpg", "--batch", "--yes", "--trust-model", "always", "--recipient", recipient, "--encrypt"]


def _decrypt(path: str, identity: str | None) -> list[str]:
    ending = PurePosixPath(path).suffix
    if ending == SUFFIXES["age"]:
        if not identity:
            raise BackupError("it is encrypted: name the file with the key, --identity FILE")
        return ["age", "--decrypt", "--identity", identity]
    return ["gpg", "--batch", "--decrypt"] if ending == SUFFIXES["gpg"] else []


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
