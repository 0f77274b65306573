"""The bytes of a CSV file in blocks of whole lines, and what NumPy finds out about the lines of a block."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from ingestion.formats.parsed_file import UnreadableFileError

BLOCK_BYTES = 16 * 1024 * 1024
BOM = b"\xef\xbb\xbf"
NEWLINE, RETURN, QUOTE, COMMA = b'\n\r",'


@contextmanager
def open_plain(path: Path) -> Iterator[BinaryIO]:
    """Open a file's plain bytes.

    Raises:
        UnreadableFileError: the gzip is damaged or truncated.
    """
    with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as file:
        try:
            yield cast(BinaryIO, file)
        except EOFError as error:
            raise UnreadableFileError("the gzip is truncated: its end is missing") from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise UnreadableFileError(f"the gzip is damaged: {error}") from error


def read_blocks(file: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Yield blocks that end at a line's end, without the byte order mark, and whether each is the last."""
    data = file.read(BLOCK_BYTES).removeprefix(BOM)
    while data:
        following = file.read(BLOCK_BYTES)
        cut = data.rfind(b"\n") + 1 if following else len(data)
        if cut:
            yield data[:cut], not following
        data = data[cut:] + following


class Lines:
    """The lines of one block.

    Attributes:
        starts: the position of each line; `bounds` has the block's end as well.
        filled: whether each line is not blank.
        suspicious: whether the quotes of each line do not alternate between opening and closing a field.
        ending: how the lines end: `lf`, `crlf`, `cr`, `mixed` or `none`.
    """

    def __init__(self, block: bytes) -> None:
        data = np.frombuffer(block, dtype=np.uint8)
        newlines = np.flatnonzero(data == NEWLINE)
        starts = np.append(0, newlines + 1)
        self.bounds = starts if starts[-1] == len(data) else np.append(starts, len(data))
        self.starts = self.bounds[:-1]
        self.filled = data[self.starts] != NEWLINE
        self.ending = "lf" if len(newlines) else "none"
        if returns := block.count(b"\r"):
            after = data[np.minimum(self.starts + 1, len(data) - 1)]
            self.filled &= (data[self.starts] != RETURN) | (after != NEWLINE)
            whole = returns == len(newlines) == block.count(b"\r\n")
            self.ending = "crlf" if whole else "mixed" if len(newlines) else "cr"
        self.suspicious = np.zeros(len(self.starts), dtype=bool)
        if QUOTE in block:
            self._find_suspicious(data)

    def _find_suspicious(self, data: np.ndarray) -> None:
        quotes = np.flatnonzero(data == QUOTE)
        line = np.searchsorted(self.starts, quotes, side="right") - 1
        count = np.bincount(line, minlength=len(self.starts))
        self.suspicious |= count % 2 == 1
        opens = (np.arange(len(quotes)) - (np.cumsum(count) - count)[line]) % 2 == 0
        before = np.where(quotes > self.starts[line], data[quotes - 1], COMMA)
        after = np.where(quotes + 1 < len(data), data[np.minimum(quotes + 1, len(data) - 1)], NEWLINE)
        fits = np.where(
            opens, np.isin(before, (COMMA, QUOTE)), np.isin(after, (COMMA, QUOTE, NEWLINE, RETURN))
        )
        self.suspicious[line[~fits]] = True


def is_utf8(block: bytes) -> bool:
    try:
        block.decode()
    except UnicodeDecodeError:
        return False
    return True


def decode(line: bytes) -> str:
    """Decode a line as UTF-8, or else as Windows-1252, the superset of Latin-1 that real files contain."""
    for encoding in ("utf-8", "cp1252"):
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
    return line.decode("latin-1")
