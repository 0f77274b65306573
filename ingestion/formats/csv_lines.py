"""The bytes of a CSV file in blocks of whole lines, and what NumPy finds out about the lines of a block."""

import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from ingestion.formats.parsed_file import UnreadableFileError
from settings.file_limits import FileLimits

# Large enough for NumPy, small enough that a block of empty lines, of which each takes 60 bytes here, is no burden.
BLOCK_BYTES = 4 * 1024 * 1024
# A gzip may become as large as this, whatever its size.
ALWAYS_BYTES = 100_000_000
BOM = b"\xef\xbb\xbf"
NUL = b"\0"
NEWLINE, RETURN, QUOTE, COMMA, SPACE, TAB = b'\n\r", \t'

# A row of a spreadsheet without any value.
_WITHOUT_VALUES = re.compile(rb'[ \t\r]*+(?:"")?[ \t\r]*+(?:,[ \t\r]*+(?:"")?[ \t\r]*+)*+\n?')


def is_gzip(path: Path) -> bool:
    return path.name.lower().endswith(".gz")


@contextmanager
def open_plain(path: Path) -> Iterator[BinaryIO]:
    """Open a file's plain bytes.

    Raises:
        UnreadableFileError: the gzip is damaged or truncated.
    """
    with gzip.open(path) if is_gzip(path) else path.open("rb") as file:
        try:
            yield cast(BinaryIO, file)
        except EOFError as error:
            raise UnreadableFileError("the gzip is truncated: its end is missing") from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise UnreadableFileError(f"the gzip is damaged: {error}") from error


def read_chunks(file: BinaryIO, limits: FileLimits, *, size: int) -> Iterator[bytes]:
    """Yield the plain bytes of a file.

    Args:
        file: plain bytes.
        limits: of the length of the file.
        size: the delivered file's size in bytes, packed or not.

    Raises:
        UnreadableFileError: the file is larger than the limits allow.
    """
    total = 0
    while chunk := file.read(BLOCK_BYTES):
        total += len(chunk)
        check_size(total, limits, size=size)
        yield chunk


def check_size(unpacked: int, limits: FileLimits, *, size: int) -> None:
    """Check that a file does not hold too much.

    Args:
        unpacked: its plain bytes so far.
        limits: of the length of the file.
        size: the delivered file's size in bytes, packed or not.

    Raises:
        UnreadableFileError: it does; the message names the setting.
    """
    most = min(limits.file_bytes, max(size * limits.gzip_ratio, ALWAYS_BYTES))
    if unpacked > most:
        setting = "FILE_BYTES" if most == limits.file_bytes else "GZIP_RATIO"
        raise UnreadableFileError(f"it holds more than {most:,} bytes, the limit of SLUICE_MAX_{setting}")


def read_blocks(file: BinaryIO, limits: FileLimits, *, size: int) -> Iterator[tuple[bytes, bool]]:
    """Yield blocks that end at a line's end, and whether each is the last.

    The middle of a line that is longer than the limit is left out; what is left of it still exceeds the limit.

    Args:
        file: plain bytes, from a line's beginning.
        limits: of the length of a line and of the file.
        size: the delivered file's size in bytes, packed or not.

    Raises:
        UnreadableFileError: the file is larger than the limits allow.
    """
    chunks = read_chunks(file, limits, size=size)
    data = next(chunks, b"")
    while data:
        following = next(chunks, b"")
        cut = data.rfind(b"\n") + 1 if following else len(data)
        if cut:
            yield data[:cut], not following
        rest = data[cut:]
        data = rest[: limits.line_bytes + 1] + following


class Lines:
    """The lines of one block, each of one of four kinds.

    Attributes:
        bounds: where each line begins, and the block's end.
        plain: a record of the header's width by itself: its quotes open and close whole fields.
        blank: without any value; not a record.
        careful: its quotes or line ends need a closer look, it is too long, or it may be a part of a record.
        (Any other line has plain quotes, but not the header's width.)
        ending: how the lines end: `lf`, `crlf`, `mixed` or `none`.
    """

    def __init__(self, block: bytes, columns: int, max_bytes: int) -> None:
        data = np.frombuffer(block, dtype=np.uint8)
        newlines = np.flatnonzero(data == NEWLINE)
        bounds = np.append(0, newlines + 1)
        self.bounds = bounds if bounds[-1] == len(data) else np.append(bounds, len(data))
        self._block, self._data, self._newlines, self._max_bytes = block, data, newlines, max_bytes
        self.careful = np.diff(self.bounds) > max_bytes
        self._empty = data[self.bounds[:-1]] == NEWLINE
        self.ending = self._find_line_ends()
        if self.ending == "crlf":
            self._empty |= data[self.bounds[:-1]] == RETURN
        right_width = self._widths() == columns
        self.blank = self._find_blank()
        self.careful &= ~self.blank
        self.plain = right_width & ~self.careful & ~self.blank

    def __len__(self) -> int:
        return len(self.bounds) - 1

    @property
    def is_plain(self) -> bool:
        """Whether every line is plain or empty."""
        return bool((self.plain | self._empty).all())

    def select(self, begin: int, end: int, wanted: np.ndarray) -> bytes:
        """Return the wanted lines of a stretch of lines, each with an LF."""
        bounds = self.bounds[begin : end + 1]
        stretch = self._data[bounds[0] : bounds[-1]]
        if not wanted.all():
            stretch = stretch[np.repeat(wanted, np.diff(bounds))]
        content = stretch.tobytes()
        if self.ending != "lf":
            content = content.replace(b"\r\n", b"\n")
        return content if content.endswith(b"\n") or not content else content + b"\n"

    def line(self, index: int, end: int | None = None) -> bytes:
        """Return a line with its line end, or lines up to another one."""
        return self._block[self.bounds[index] : self.bounds[index + 1 if end is None else end]]

    def _find_line_ends(self) -> str:
        returns = self._block.count(b"\r")
        if not returns:
            return "lf" if len(self._newlines) else "none"
        if returns == len(self._newlines) == self._block.count(b"\r\n"):
            return "crlf"
        places = np.flatnonzero(self._data == RETURN)
        after = self._data[np.minimum(places + 1, len(self._data) - 1)]
        self._mark(places[after != NEWLINE])
        return "mixed"

    def _widths(self) -> np.ndarray:
        """Return the number of fields of each line, and mark lines whose quotes are not plain."""
        commas = np.flatnonzero(self._data == COMMA)
        if QUOTE in self._block:
            quotes = np.flatnonzero(self._data == QUOTE)
            first = np.searchsorted(quotes, self.bounds)
            self._mark(quotes[~self._are_plain(quotes, first)])
            self.careful |= np.diff(first) % 2 == 1
            # A comma is within quotes if the quotes before it in its line are odd in number.
            of_line = first[np.searchsorted(self.bounds, commas, side="right") - 1]
            commas = commas[(np.searchsorted(quotes, commas) - of_line) % 2 == 0]
        return np.diff(np.searchsorted(commas, self.bounds)) + 1

    def _are_plain(self, quotes: np.ndarray, first: np.ndarray) -> np.ndarray:
        """Whether each quote opens a field after a comma or line start, closes one before a comma or line end, or is one of a pair.

        Args:
            quotes: the positions of all quotes.
            first: for each line, how many quotes are before it.
        """
        data = self._data
        line = np.searchsorted(self.bounds, quotes, side="right") - 1
        opens = (np.arange(len(quotes)) - first[line]) % 2 == 0
        before = np.where(quotes > self.bounds[line], data[quotes - 1], COMMA)
        after = np.where(quotes + 1 < len(data), data[np.minimum(quotes + 1, len(data) - 1)], NEWLINE)
        return np.where(
            opens,
            np.isin(before, (COMMA, QUOTE)),
            np.isin(after, (COMMA, QUOTE, NEWLINE, RETURN)),
        )

    def _find_blank(self) -> np.ndarray:
        starts, ends = self.bounds[:-1], self.bounds[1:]
        blank = self._empty.copy()
        # Few of the other lines have no letter or digit at their beginning and in their middle.
        maybe = ~blank & (ends - starts <= self._max_bytes)
        for places in (starts, (starts + ends) // 2):
            maybe[maybe] = np.isin(self._data[places[maybe]], (NEWLINE, RETURN, COMMA, SPACE, TAB, QUOTE))
        for index in np.flatnonzero(maybe).tolist():
            blank[index] = _WITHOUT_VALUES.fullmatch(self.line(index)) is not None
        return blank

    def _mark(self, places: np.ndarray) -> None:
        self.careful[np.searchsorted(self.bounds, places, side="right") - 1] = True


def is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def decode(lines: bytes) -> str:
    """Decode each line as UTF-8, or else as Windows-1252, the superset of Latin-1 that real files contain."""
    try:
        return lines.decode()
    except UnicodeDecodeError:
        return "\n".join(_decode_line(line) for line in lines.split(b"\n"))


def _decode_line(line: bytes) -> str:
    for encoding in ("utf-8", "cp1252"):
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
    return line.decode("latin-1")
