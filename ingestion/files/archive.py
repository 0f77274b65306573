"""Pack a domain's loaded files into one archive per load day, and restore them.

`archive/<domain>/<day>/` becomes `archive/<domain>/<day>.tar.gz`. A pack begins with a list of checksums, against which
its files are checked when they are restored (also by hand: `tar xf …; sha256sum -c SHA256SUMS`).
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
from pathlib import Path
from typing import IO, Any

import settings as settings_module
from common.atomic_write import atomic_write
from common.file_lock import FileLockedError, file_lock
from common.files import sync
from ingestion.files.landing import checksum_of, name_beside
from settings import Settings

SUMS = "SHA256SUMS"
SUFFIX = ".tar.gz"
BLOCK_BYTES = 1024 * 1024
# How long to wait for another process; a year of large files takes a while.
WAIT_SECONDS = 900.0


class ArchiveError(RuntimeError):
    """A pack is damaged or could not be written, or the archive is in use; every removed file is in a checked pack."""


@dataclass(frozen=True)
class Packed:
    """The pack of a load day, and the files that were packed or restored."""

    day: str
    path: Path
    files: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"path": str(self.path)}


def archive(domain: str, settings: Settings | None = None, *, before: date) -> list[Packed]:
    """Pack the files loaded before a day; an original is removed only after its copy was read back from the pack.

    Safe to repeat: further files are added to a day's existing pack, and a killed run is completed.

    Args:
        domain: the pipeline.
        settings: defaults to those of the environment.
        before: the first load day (UTC) whose files are not packed.

    Raises:
        ArchiveError: a pack is damaged or cannot be written, or another process kept the archive.
    """
    settings = settings or settings_module.load()
    with _locked(settings.archive(domain)) as folder:
        return [_pack(path) for path in _days(folder) if date.fromisoformat(path.name) < before]


def restore(domain: str, settings: Settings | None = None, *, day: date | None = None) -> list[Packed]:
    """Restore the files of packs to their folders; the packs stay.

    Args:
        domain: the pipeline.
        settings: defaults to those of the environment.
        day: the load day; all if not given.

    Raises:
        ArchiveError: the pack is missing or damaged, a file with other content has its name, or another
            process kept the archive.
    """
    settings = settings or settings_module.load()
    with _locked(settings.archive(domain)) as folder:
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
        # By the name in the pack, in which other content may already have the file's own name.
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
                    raise ArchiveError(f"{target} differs from what was packed; the files stay")
        for path in originals.values():
            path.unlink()
    except OSError as error:
        raise ArchiveError(f"{target} could not be written: {error}") from error
    with suppress(OSError):  # a new file has arrived
        folder.rmdir()
    return Packed(folder.name, target, tuple(originals))


def _write(candidate: Path, sources: Mapping[str, Path], sums: Mapping[str, str], earlier: Path) -> None:
    """Write a pack of these files; other names in `sums` are copied from the earlier pack."""
    listed = "".join(f"{checksum}  {name}\n" for name, checksum in sums.items()).encode()
    # No file name in the gzip header, because no checksum covers it.
    with (
        candidate.open("wb") as file,
        gzip.GzipFile("", "wb", fileobj=file) as content,
        tarfile.open(fileobj=content, mode="w") as pack,
    ):
        member = tarfile.TarInfo(SUMS)
        member.size = len(listed)
        pack.addfile(member, io.BytesIO(listed))
        if set(sums) - set(sources):
            with _open_pack(earlier) as (old, _):
                for member in old:
                    if member.name != SUMS:
                        pack.addfile(member, old.extractfile(member))
        for name, path in sources.items():
            pack.add(path, arcname=name, recursive=False)


def _checked(path: Path) -> dict[str, str]:
    """Return the checksum of each file in a pack, after comparing the content with the list in the pack.

    Raises:
        ArchiveError: the pack is damaged.
    """
    found: dict[str, str] = {}
    with _open_pack(path) as (pack, sums):
        for member in pack:
            if member.name != SUMS:
                found[member.name] = hashlib.file_digest(_content(pack, member), "sha256").hexdigest()  # type: ignore[arg-type]
    if found != sums:
        wrong = sorted(name for name in {*found, *sums} if found.get(name) != sums.get(name))
        raise _damaged(path, f"{', '.join(wrong)} differs from what was packed")
    return sums


def _unpack(path: Path) -> Packed:
    folder = path.with_name(path.name.removesuffix(SUFFIX))
    if not path.exists():
        raise ArchiveError(f"there is no pack {path}")
    sums = _checked(path)
    try:
        folder.mkdir(exist_ok=True)
        with _open_pack(path) as (pack, _):
            for member in pack:
                if member.name != SUMS:
                    _restore_file(folder / member.name, _content(pack, member), sums[member.name])
        sync(folder)
    except OSError as error:
        raise ArchiveError(f"{folder} could not be written: {error}") from error
    return Packed(folder.name, path, tuple(sums))


def _restore_file(target: Path, content: IO[bytes], checksum: str) -> None:
    if target.exists():
        if checksum_of(target) != checksum:
            raise ArchiveError(f"{target} exists with other content; move it away")
        return
    with atomic_write(target) as candidate:
        with candidate.open("wb") as file:
            shutil.copyfileobj(content, file)
        if checksum_of(candidate) != checksum:
            raise ArchiveError(f"{target} differs from its copy in the pack")


@contextmanager
def _open_pack(path: Path) -> Iterator[tuple[tarfile.TarFile, dict[str, str]]]:
    """Open a pack and read its list of checksums; raise ArchiveError if it is damaged."""
    try:
        with gzip.open(path) as content, tarfile.open(fileobj=content) as pack:
            first = pack.next()
            if first is None or first.name != SUMS:
                raise _damaged(path, f"it does not begin with {SUMS}")
            lines = _content(pack, first).read().decode().splitlines()
            sums = {name: checksum for checksum, _, name in (line.partition("  ") for line in lines)}
            if any(Path(name).name != name for name in sums):
                raise _damaged(path, "it has names with folders")
            yield pack, sums
            while content.read(BLOCK_BYTES):  # to the end, where gzip checks its checksum
                pass
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, UnicodeDecodeError) as error:
        raise _damaged(path, str(error)) from error


def _content(pack: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    """Return the content of a file in a pack; `extractfile` returns None for a folder or a link."""
    content = pack.extractfile(member)
    if content is None:
        raise tarfile.ReadError(f"{member.name} is not a file")
    return content


def _damaged(path: Path, why: str) -> ArchiveError:
    return ArchiveError(f"{path} is damaged: {why}; move it away, existing originals stay")


def _days(folder: Path) -> list[Path]:
    """Return the folders of load days in order."""
    found = []
    for path in sorted(folder.iterdir()) if folder.exists() else []:
        with suppress(ValueError):
            date.fromisoformat(path.name)
            found += [path] if path.is_dir() else []
    return found


@contextmanager
def _locked(folder: Path) -> Iterator[Path]:
    """Keep other processes from packing or restoring in this folder until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with file_lock(folder / ".lock", WAIT_SECONDS):
            yield folder
    except FileLockedError as error:
        raise ArchiveError(f"another process is packing or restoring: {error}") from error
