"""Packs a domain's loaded files, one pack per load day, and brings them back.

`archive/<domain>/<day>/` becomes `archive/<domain>/<day>.tar.gz`. A pack begins with a list of checksums, by which its
files are checked when they come out again (by hand as well: `tar xf …; sha256sum -c SHA256SUMS`).
"""

import gzip
import hashlib
import io
import shutil
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import date
from io import BufferedReader
from pathlib import Path
from typing import IO, Any, cast

import settings as settings_module
from common.atomic_write import atomic_write
from common.file_lock import FileLockedError, file_lock
from common.files import sync
from ingestion.files.landing import checksum_of, name_beside
from settings import Settings

SUMS = "SHA256SUMS"
SUFFIX = ".tar.gz"
BLOCK_BYTES = 1024 * 1024
# For another process that packs or restores; a year of large files may take it a while.
WAIT_SECONDS = 900.0


class ArchiveError(RuntimeError):
    """A pack is damaged or could not be written, or the archive is in use; every file removed is in a checked pack."""


@dataclass(frozen=True)
class Packed:
    """The pack of a load day, and the files that were now put into it or taken out of it."""

    day: str
    path: Path
    files: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values."""
        return asdict(self) | {"path": str(self.path)}


def archive(domain: str, settings: Settings | None = None, *, before: date) -> list[Packed]:
    """Pack the files loaded before a day; an original is removed only after its copy was read back from the pack.

    Safe to repeat: if a day already has a pack, further files are added to it, and what a kill left is completed.

    Args:
        domain: the pipeline.
        settings: defaults to those of the environment.
        before: the first load day (UTC) whose files stay as they are.

    Raises:
        ArchiveError: a pack is damaged or cannot be written, or another process kept the archive.
    """
    settings = settings or settings_module.load()
    with _alone(settings.archive(domain)) as folder:
        return [_pack(path) for path in _days(folder) if date.fromisoformat(path.name) < before]


def restore(domain: str, settings: Settings | None = None, *, day: date | None = None) -> list[Packed]:
    """Bring the files of packs back to where they were; the packs stay.

    Args:
        domain: the pipeline.
        settings: defaults to those of the environment.
        day: the load day; all if not given.

    Raises:
        ArchiveError: there is no such pack, it is damaged, a file of another content is in the way, or another
            process kept the archive.
    """
    settings = settings or settings_module.load()
    with _alone(settings.archive(domain)) as folder:
        packs = sorted(folder.glob(f"*{SUFFIX}")) if day is None else [folder / f"{day}{SUFFIX}"]
        return [_unpack(path) for path in packs]


def _pack(folder: Path) -> Packed:
    target = folder.with_name(f"{folder.name}{SUFFIX}")
    originals = {
        path.name: path
        for path in sorted(folder.iterdir())
        if path.is_file() and not path.name.startswith(".")
    }
    packed = _checked(target) if target.exists() else {}
    try:
        sums = {name: checksum_of(path) for name, path in originals.items()}
        # By the name in the pack, where the file's own name may belong to another content.
        new = {
            name_beside(packed, name, checksum): (name, checksum)
            for name, checksum in sums.items()
            if packed.get(name_beside(packed, name, checksum)) != checksum
        }
        if new:
            sources = {inside: originals[name] for inside, (name, _) in new.items()}
            wanted = packed | {inside: checksum for inside, (_, checksum) in new.items()}
            with atomic_write(target) as candidate:
                _write(candidate, sources, wanted, target)
                if _checked(candidate) != wanted:
                    raise ArchiveError(f"{target} was not written as it should be; the files stay")
        for path in originals.values():
            path.unlink()
    except OSError as error:
        raise ArchiveError(f"{target} could not be written: {error}") from error
    with suppress(OSError):  # a new file has arrived
        folder.rmdir()
    return Packed(folder.name, target, tuple(originals))


def _write(candidate: Path, sources: Mapping[str, Path], sums: Mapping[str, str], earlier: Path) -> None:
    """Write a pack of these files; the other names in `sums` are copied from the earlier pack."""
    listed = "".join(f"{checksum}  {name}\n" for name, checksum in sums.items()).encode()
    # Without a file name in the gzip header, which no checksum covers.
    with (
        candidate.open("wb") as file,
        gzip.GzipFile("", "wb", fileobj=file) as content,
        tarfile.open(fileobj=content, mode="w") as pack,
    ):
        member = tarfile.TarInfo(SUMS)
        member.size = len(listed)
        pack.addfile(member, io.BytesIO(listed))
        if set(sums) - set(sources):
            with _reading(earlier) as (old, _):
                for member in old:
                    if member.name != SUMS:
                        pack.addfile(member, old.extractfile(member))
        for name, path in sources.items():
            pack.add(path, arcname=name, recursive=False)


def _checked(path: Path) -> dict[str, str]:
    """The checksum of each file in a pack, computed from its content and compared with the list in the pack.

    Raises:
        ArchiveError: the pack is damaged.
    """
    found: dict[str, str] = {}
    with _reading(path) as (pack, sums):
        for member in pack:
            if member.name != SUMS:
                found[member.name] = hashlib.file_digest(
                    cast(BufferedReader, pack.extractfile(member)), "sha256"
                ).hexdigest()
    if found != sums:
        wrong = sorted(name for name in {*found, *sums} if found.get(name) != sums.get(name))
        raise _damaged(path, f"{', '.join(wrong)} is not what was packed")
    return sums


def _unpack(path: Path) -> Packed:
    folder = path.with_name(path.name.removesuffix(SUFFIX))
    if not path.exists():
        raise ArchiveError(f"there is no pack {path}")
    sums = _checked(path)
    try:
        folder.mkdir(exist_ok=True)
        with _reading(path) as (pack, _):
            for member in pack:
                if member.name != SUMS:
                    _bring_back(folder / member.name, pack.extractfile(member), sums[member.name])
        sync(folder)
    except OSError as error:
        raise ArchiveError(f"{folder} could not be written: {error}") from error
    return Packed(folder.name, path, tuple(sums))


def _bring_back(target: Path, content: IO[bytes], checksum: str) -> None:
    if target.exists():
        if checksum_of(target) != checksum:
            raise ArchiveError(f"{target} is there with another content; move it away")
        return
    with atomic_write(target) as candidate:
        with candidate.open("wb") as file:
            shutil.copyfileobj(content, file)
        if checksum_of(candidate) != checksum:
            raise ArchiveError(f"{target} was not written as it should be")


@contextmanager
def _reading(path: Path) -> Iterator[tuple[tarfile.TarFile, dict[str, str]]]:
    """Open a pack and read its list of checksums; anything wrong with it raises an ArchiveError."""
    try:
        with gzip.open(path) as content, tarfile.open(fileobj=content) as pack:
            first = pack.next()
            if first is None or first.name != SUMS:
                raise _damaged(path, f"it does not begin with {SUMS}")
            lines = pack.extractfile(first).read().decode().splitlines()
            sums = {name: checksum for checksum, _, name in (line.partition("  ") for line in lines)}
            if any(Path(name).name != name for name in sums):
                raise _damaged(path, "it has names with folders")
            yield pack, sums
            while content.read(BLOCK_BYTES):  # to the end, where gzip has its checksum
                pass
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, UnicodeDecodeError) as error:
        raise _damaged(path, str(error)) from error


def _damaged(path: Path, why: str) -> ArchiveError:
    return ArchiveError(f"{path} is damaged: {why}; move it away, originals that are there stay")


def _days(folder: Path) -> list[Path]:
    """The folders of load days, in the order of the days."""
    found = []
    for path in sorted(folder.iterdir()) if folder.exists() else []:
        with suppress(ValueError):
            date.fromisoformat(path.name)
            found += [path] if path.is_dir() else []
    return found


@contextmanager
def _alone(folder: Path) -> Iterator[Path]:
    """Keep other processes from packing or restoring in this folder while the block runs."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with file_lock(folder / ".lock", WAIT_SECONDS):
            yield folder
    except FileLockedError as error:
        raise ArchiveError(f"another process is packing or restoring: {error}") from error
