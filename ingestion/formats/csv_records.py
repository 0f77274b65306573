"""Where one record of a CSV file ends and the next begins, found out before a parser is trusted.

DuckDB's reader is fast but trusting: a gzip that stops in the middle passes, and one quote that
is never closed swallows every line after it. So each file is read once here, in blocks and with
NumPy, which gives an independent count of records and finds the few lines that need care. A file
without such lines is then parsed as it is; of any other a repaired copy is made, in which a line
with an unclosed quote is left out (and reported) and all text is UTF-8 with LF line ends and without
NUL characters, which not every engine can store.
"""

import csv
import gzip
import zlib
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

import numpy as np

from ingestion.formats.characters import NO_CHARACTER, strip_nul
from ingestion.formats.parsed_file import RejectedLine, UnreadableFileError

BLOCK_BYTES = 16 * 1024 * 1024
# A quoted field that spans more text than this is taken for an unclosed quote; DuckDB's own
# limit for one record (`max_line_size`) is 2,000,000 bytes.
MAX_RECORD_BYTES = 1_000_000
BOM = b"\xef\xbb\xbf"
NEWLINE, RETURN, QUOTE, COMMA = b'\n\r",'
NUL = b"\0"

csv.field_size_limit(2 * MAX_RECORD_BYTES)


@dataclass
class Framing:
    """What is known of a file's records before it is parsed.

    Attributes:
        path: the file to parse: the delivered one, or a repaired copy.
        records: records after the header, blank lines not counted, rejected lines not included.
        rejected: lines taken out of the copy.
        offsets: steps of (record ordinal, lines that earlier records spanned beyond one each), by
            which a record's ordinal in `path` becomes a line number of the delivered file.
    """

    path: Path
    records: int
    rejected: list[RejectedLine] = field(default_factory=list)
    offsets: list[tuple[int, int]] = field(default_factory=list)

    def line_number(self, ordinal: int) -> int:
        """Line of the delivered file (1 = header) on which record `ordinal` of `path` begins."""
        step = bisect_right(self.offsets, (ordinal, 1 << 62)) - 1
        return ordinal + (self.offsets[step][1] if step >= 0 else 0)


@contextmanager
def _open(path: Path) -> Iterator[IO[bytes]]:
    """The plain bytes of a file; a gzip that is damaged or stops early becomes an error in words."""
    with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as file:
        try:
            yield cast(IO[bytes], file)
        except EOFError as error:
            raise UnreadableFileError("the gzip is truncated: its end is missing") from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise UnreadableFileError(f"the gzip is damaged: {error}") from error


def read_header(path: Path) -> list[str]:
    """Names in the first line of a file, as written.

    Raises:
        UnreadableFileError: the file is empty, no gzip, or its first line cannot be split.
    """
    with _open(path) as file:
        first = file.readline(MAX_RECORD_BYTES).removeprefix(BOM)
    if NUL in first:
        raise UnreadableFileError("it holds NUL bytes: not a text file, or UTF-16; save it as UTF-8")
    first = first.replace(b"\r", b"\n").split(b"\n")[0]
    if not first.strip():
        raise UnreadableFileError(
            "the file is empty" if not first else "the first line, the header, is blank"
        )
    try:
        (names,) = csv.reader([_decode(first)], strict=True, skipinitialspace=True)
    except csv.Error as error:
        raise UnreadableFileError(
            f"the first line, the header, cannot be split into names: {error}"
        ) from error
    return [name.strip() for name in names]


def frame(path: Path, *, columns: int, copy_to: Path) -> Framing:
    """Read a whole file, prove that it is complete and find its records.

    Args:
        path: a `.csv` or `.csv.gz` file.
        columns: number of columns of the header.
        copy_to: where to write a repaired copy if the file needs one.

    Raises:
        UnreadableFileError: the gzip is truncated or damaged, or the line ends are bare CRs.
    """
    records = 0
    clean = True
    endings: set[str] = set()
    with _open(path) as file:
        for block, _ in _blocks(file):
            lines = _Lines(block)
            records += int(lines.filled.sum())
            endings.add(lines.ending)
            clean = clean and _is_utf8(block) and NUL not in block and not lines.suspicious.any()
    endings.discard("none")
    if endings == {"cr"}:
        raise UnreadableFileError("its lines end in a bare CR (old Macintosh style); save it with LF or CRLF")
    if clean and endings <= {"lf"} or clean and endings == {"crlf"}:
        return Framing(path=path, records=max(records - 1, 0))
    with _open(path) as file, copy_to.open("wb") as out:
        return _RepairedCopy(copy_to, out, columns).fill(file)


class _Lines:
    """The lines of one block.

    Arrays with an entry a line: `starts` (`bounds` has the block's end too), `filled` (the line is
    not blank) and `suspicious` (its quotes do not alternate between opening a field and closing
    it). `ending` says how the lines end.
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
            self._suspect(data)

    def _suspect(self, data: np.ndarray) -> None:
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


class _RepairedCopy:
    """A copy that holds whole records only, as UTF-8 with LF line ends, and what was left out of it."""

    def __init__(self, path: Path, out: IO[bytes], columns: int) -> None:
        self._framing = Framing(path=path, records=-1)  # the header is no record
        self._out = out
        self._columns = columns
        self._ordinal = 0
        self._shift = 0

    def fill(self, file: IO[bytes]) -> Framing:
        """Write the copy; returns its framing."""
        rest = b""
        for block, last in _blocks(file):
            rest += block
            rest = rest[self._take(rest, last) :]
        self._framing.records = max(self._framing.records, 0)
        return self._framing

    def _take(self, block: bytes, last: bool) -> int:
        """Copy a block's lines; returns how many bytes of it are done with.

        All are, unless a record that began in it may end in the next block.
        """
        lines = _Lines(block)
        at = 0
        for index in np.flatnonzero(lines.suspicious).tolist():
            if index < at:
                continue  # a line within the record before
            self._copy(block, lines, at, index)
            start = lines.starts[index]
            span = _span(block, lines, index, self._columns)
            if not span and not last and len(block) - start < MAX_RECORD_BYTES:
                return int(start)
            if span:
                self._copy(block, lines, index, index + span, records=1)
            else:
                line = block[start : lines.bounds[index + 1]]
                self._reject(strip_nul(_decode(line).rstrip("\r\n")))
            at = index + (span or 1)
        self._copy(block, lines, at, len(lines.starts))
        return len(block)

    def _copy(self, block: bytes, lines: _Lines, begin: int, end: int, records: int | None = None) -> None:
        """Copy some lines: a record each, or one record in all."""
        stretch = block[lines.bounds[begin] : lines.bounds[end]]
        self._out.write(_normalised(stretch))
        self._framing.records += int(lines.filled[begin:end].sum()) if records is None else records
        self._ordinal += end - begin if records is None else records
        if records and end - begin > records:
            self._move(end - begin - records)

    def _reject(self, line: str) -> None:
        number = self._ordinal + self._shift + 1
        self._framing.rejected.append(RejectedLine(number, "a quote is opened and never closed", line))
        self._move(1)

    def _move(self, lines: int) -> None:
        self._shift += lines
        self._framing.offsets.append((self._ordinal + 1, self._shift))


def _span(block: bytes, lines: _Lines, index: int, columns: int) -> int:
    """Number of lines of the record that begins on a line, 0 if it has no end.

    The record ends at the first line end outside quotes. The quote was a stray one, and the lines
    after it are records of their own, if the record then has not the header's number of columns,
    or if a line in its middle has: one bad line costs one line.
    """
    start = lines.bounds[index]
    if _width(block[start : lines.bounds[index + 1]]) is not None:
        return 1
    for end in range(index + 1, len(lines.starts)):
        line = block[lines.bounds[end] : lines.bounds[end + 1]]
        width = _width(block[start : lines.bounds[end + 1]]) if QUOTE in line else None
        if width == columns:
            return end - index + 1
        too_long = lines.bounds[end + 1] - start > MAX_RECORD_BYTES
        if width is not None or line.count(b",") == columns - 1 or too_long:
            return 0
    return 0


def _width(record: bytes) -> int | None:
    """Number of columns of a record, -1 if text follows a closing quote, None if a quote is open."""
    try:
        (fields,) = csv.reader([_decode(record)], strict=True, skipinitialspace=True)
    except csv.Error as error:
        return None if "unexpected end of data" in str(error) else -1
    return len(fields)


def _blocks(file: IO[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Blocks that end at a line's end, without the byte order mark, and whether each is the last."""
    data = file.read(BLOCK_BYTES).removeprefix(BOM)
    while data:
        following = file.read(BLOCK_BYTES)
        cut = data.rfind(b"\n") + 1 if following else len(data)
        if cut:
            yield data[:cut], not following
        data = data[cut:] + following


def _normalised(lines: bytes) -> bytes:
    if not _is_utf8(lines):
        lines = "".join(_decode(line) for line in lines.splitlines(keepends=True)).encode()
    lines = lines.replace(b"\r\n", b"\n").replace(NUL, NO_CHARACTER.encode())
    if RETURN in lines:
        # The parser would end a line at a CR, unless quotes say that it belongs to a field.
        bare = (line if QUOTE in line else line.replace(b"\r", b" ") for line in lines.split(b"\n"))
        lines = b"\n".join(bare)
    return lines


def _is_utf8(block: bytes) -> bool:
    try:
        block.decode()
    except UnicodeDecodeError:
        return False
    return True


def _decode(line: bytes) -> str:
    """Text of a line: UTF-8, else Windows-1252 (the superset of Latin-1 that real files hold)."""
    for encoding in ("utf-8", "cp1252"):
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
    return line.decode("latin-1")
