"""The member of a .zip that is the delivered file."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from common.text import printable
from ingestion.file_format import form_of_name
from ingestion.formats.csv_lines import read_chunks
from ingestion.formats.parsed_file import UnreadableFileError
from settings.file_limits import FileLimits


def members(path: Path) -> list[str]:
    """Return the names of the members in a form that is taken.

    Raises:
        UnreadableFileError: the file is not a .zip.
    """
    with _open(path) as archive:
        names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
    # Macs add files of their own.
    delivered = [
        name
        for name in names
        if not any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)
    ]
    return [name for name in delivered if (form_of_name(name) or ".zip") != ".zip"]


def find_member(path: Path, pattern: str = "") -> str:
    """Return the name of the member that a pattern names, or of the only one.

    Raises:
        UnreadableFileError: there is none or more than one, or the file is not a .zip.
    """
    found = members(path)
    matching = [name for name in found if not pattern or fnmatchcase(PurePosixPath(name).name, pattern)]
    if len(matching) != 1:
        listed = ", ".join(printable(name) for name in found[:20]) or "no file in a form that is taken"
        wanted = f"one member {pattern}" if pattern else "one member"
        raise UnreadableFileError(f"it should have {wanted}, but holds {listed}")
    return matching[0]


@contextmanager
def open_member(path: Path, pattern: str = "") -> Iterator[BinaryIO]:
    """Open a member, see `find_member`.

    Raises:
        UnreadableFileError: there is no such member, or the file is damaged or encrypted.
    """
    member = find_member(path, pattern)
    with _open(path) as archive:
        if archive.getinfo(member).flag_bits & 1:
            raise UnreadableFileError("it is encrypted; deliver it without a password")
        try:
            with archive.open(member) as file:
                yield cast(BinaryIO, file)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise UnreadableFileError(f"the zip is damaged: {error}") from error
        # How zipfile names a compression that Python does not have.
        except NotImplementedError as error:
            raise UnreadableFileError("its compression is not supported; pack it with deflate") from error


def extract(path: Path, pattern: str, limits: FileLimits, work: Path) -> Path:
    """Write the member to a folder, under the name `member` and its suffix.

    Raises:
        UnreadableFileError: see `find_member` and `open_member`; or it is larger than the limits allow.
    """
    target = work / f"member{form_of_name(find_member(path, pattern))}"
    with open_member(path, pattern) as file, target.open("wb") as out:
        for chunk in read_chunks(file, limits, size=path.stat().st_size):
            out.write(chunk)
    return target


@contextmanager
def _open(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except zipfile.BadZipFile as error:
        raise UnreadableFileError("it is not a zip archive, or its end is missing") from error
