"""Text files with another delimiter, encoding or no header, as the CSV that the parser reads.

The delimiter changes places with the comma, and the comma with a control character, so that records, quotes and line
numbers stay as delivered; `Restored` says how to change them back.
"""

import codecs
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ingestion.file_format import FileFormat
from ingestion.formats.csv_lines import open_plain, read_chunks
from ingestion.formats.parsed_file import UnreadableFileError
from settings.file_limits import FileLimits
from warehouse.sql import literal

UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# Separates values in no file that people read.
STAND_IN = "\x1f"


@dataclass(frozen=True)
class Restored:
    """How texts of the CSV become those of the delivered file.

    Attributes:
        delimiter: the delivered delimiter.
        added_lines: lines before those of the delivered file.
    """

    delimiter: str = ","
    added_lines: int = 0

    @property
    def pairs(self) -> tuple[str, str]:
        """Characters of the CSV, and those that they stand for."""
        return f",{STAND_IN}{self.delimiter}", f"{self.delimiter},{STAND_IN}"

    def text(self, text: str) -> str:
        """Return a text with the delivered characters."""
        return text if self.delimiter == "," else text.translate(str.maketrans(*self.pairs))

    def sql(self, text: str) -> str:
        """Return SQL for a text with the delivered characters."""
        return text if self.delimiter == "," else f"translate({text}, {', '.join(map(literal, self.pairs))})"


def encoding_of(path: Path, declared: str) -> str:
    """Return the encoding of a text file: UTF-16 if it begins with its mark, otherwise the declared one.

    Raises:
        UnreadableFileError: the gzip is damaged.
        OSError: the file cannot be read.
    """
    with open_plain(path) as file:
        return "utf-16" if file.read(2) in UTF16_MARKS else declared


def write_csv(path: Path, form: FileFormat, delimiter: str, limits: FileLimits, target: Path) -> Restored:
    """Write a delivered text file as CSV in UTF-8 with a header.

    Args:
        path: the delivered file, plain or a gzip.
        form: its encoding and header.
        delimiter: its delimiter.
        limits: what the file may hold.
        target: the file to write.

    Raises:
        UnreadableFileError: the file is not in this encoding, or larger than the limits allow.
        OSError: the file cannot be read.
    """
    restored = Restored(delimiter, 1 if form.header else 0)
    encoding = encoding_of(path, form.encoding)
    convert = _swap_bytes(restored) if encoding == "utf-8" else _decode(restored, encoding)
    read = 0
    with open_plain(path) as file, target.open("wb") as out:
        if form.header:
            out.write((",".join(f'"{name}"' for name in form.header) + "\n").encode())
        try:
            for chunk in read_chunks(file, limits, size=path.stat().st_size):
                out.write(convert(chunk, False))
                read += len(chunk)
            out.write(convert(b"", True))
        except UnicodeError as error:
            raise UnreadableFileError(f"it is not {encoding}, after {read:,} bytes: {error}") from error
    return restored


def _swap_bytes(restored: Restored) -> Callable[[bytes, bool], bytes]:
    """Return what leaves the encoding as it is: the parser decodes each line, as UTF-8 or else as Windows-1252."""
    if not restored.delimiter.isascii():
        return _decode(restored, "utf-8")
    delivered, there = (pair.encode() for pair in reversed(restored.pairs))
    table = bytes.maketrans(delivered, there) if restored.delimiter != "," else None
    return lambda chunk, _: chunk.translate(table)


def _decode(restored: Restored, encoding: str) -> Callable[[bytes, bool], bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    there = str.maketrans(*reversed(restored.pairs)) if restored.delimiter != "," else {}
    return lambda chunk, last: decoder.decode(chunk, last).translate(there).encode()
