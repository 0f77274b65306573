"""Where one record of a CSV file ends and the next begins, found out before a parser is trusted.

DuckDB's reader is fast but trusting: a gzip that stops in the middle passes, and one quote that
is never closed swallows every line after it. So each file is read once here, in blocks and with
NumPy, which gives an independent count of records and finds the few lines that need care. A file
without such lines is then parsed as it is; from any other a repaired copy is made, in which a line
with an unclosed quote is taken out (and reported) and all text is UTF-8 with `\\n` line ends.
"""

import csv
import gzip
import zlib
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

BLOCK_BYTES = 16 * 1024 * 1024
# A quoted field that spans more text than this is taken for an unclosed quote; DuckDB's own
# limit for one record (`max_line_size`) is 2,000,000 bytes.
MAX_RECORD_BYTES = 1_000_000
BOM = b"\xef\xbb\xbf"
NEWLINE, RETURN, QUOTE, COMMA = b'\n\r",'

csv.field_size_limit(2 * MAX_RECORD_BYTES)


class UnreadableFileError(ValueError):
    """The file as a whole cannot be loaded; the message says why in words for its sender."""


@dataclass(frozen=True)
class RejectedLine:
    """One physical line that could not be split into columns."""

    line_number: int
    reason: str
    line: str


@dataclass
class Framing:
    """What is known of a file's records before it is parsed.

    Attributes:
        path: the file to parse: the delivered one, or a repaired copy.
        records: records after the header, blank lines not counted, rejected lines not included.
        quoted: whether a quote character occurs at all.
        rejected: lines taken out of the copy.
        offsets: steps of (record ordinal, lines that earlier records spanned beyond one each), by
            which a record's ordinal in `path` becomes a line number of the delivered file.
    """

    path: Path
    records: int
    quoted: bool
    rejected: list[RejectedLine] = field(default_factory=list)
    offsets: list[tuple[int, int]] = field(default_factory=list)

    def line_number(self, ordinal: int) -> int:
        """Line of the delivered file (1 = header) on which record `ordinal` of `path` begins."""
        step = bisect_right(self.offsets, (ordinal, 1 << 62)) - 1
        return ordinal + (self.offsets[step][1] if step >= 0 else 0)


def open_bytes(path: Path) -> BinaryIO:
    """Open a `.csv` or `.csv.gz` for reading its plain bytes."""
    return gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb")


def read_header(path: Path) -> list[str]:
    """Names in the first line of a file, as written.

    Raises:
        UnreadableFileError: the file is empty, no gzip, or its first line cannot be split.
    """
    with _whole_or_nothing(path) as file:
        first = file.readline(MAX_RECORD_BYTES).removeprefix(BOM)
    if b"\0" in first:
        raise UnreadableFileError("it holds NUL bytes: not a text file, or UTF-16; save it as UTF-8")
    first = first.replace(b"\r", b"\n").split(b"\n")[0]
    if not first.strip():
        raise UnreadableFileError("the file is empty" if not first else "the first line, the header, is blank")
    try:
        (names,) = csv.reader([_decode(first)], strict=True, skipinitialspace=True)
    except csv.Error as error:
        raise UnreadableFileError(f"the first line, the header, cannot be split into names: {error}") from error
    return [name.strip() for name in names]


def frame(path: Path, *, columns: int, copy_to: Path) -> Framing:
    """Read a whole file, prove that it is complete and find its records.

    Args:
        path: a `.csv` or `.csv.gz` file.
        columns: number of columns of the header.
        copy_to: where to write a repaired copy if the file needs one.

    Raises:
        UnreadableFileError: the gzip is truncated or damaged, or the text is not one of bytes.
    """
    records = 0
    quoted = False
    clean = True
    line_ends: set[str] = set()
    with _whole_or_nothing(path) as file:
        for block in _blocks(file):
            quoted = quoted or QUOTE in block
            lines = _lines(block)
            line_ends.add(lines.ending)
            records += lines.filled
            clean = clean and not lines.suspicious and _is_utf8(block)
    if line_ends == {"cr"}:
        raise UnreadableFileError("its lines end in a bare CR (old Macintosh style); save it with LF or CRLF")
    if clean and line_ends <= {"lf", "none"} or clean and line_ends <= {"crlf", "none"}:
        return Framing(path=path, records=max(records - 1, 0), quoted=quoted)
    return _repair(path, columns, copy_to)


@dataclass(frozen=True)
class _Lines:
    """What a block's lines are: how many are not blank, how they end, whether one needs care."""

    filled: int
    ending: str
    suspicious: bool


def _lines(block: bytes) -> _Lines:
    data = np.frombuffer(block, dtype=np.uint8)
    newlines = np.flatnonzero(data == NEWLINE)
    starts = np.append(0, newlines + 1)
    starts = starts[starts < len(data)]
    filled = len(starts) - int((data[starts] == NEWLINE).sum())
    ending = "lf" if len(newlines) else "none"
    if returns := block.count(b"\r"):
        crlf = block.count(b"\r\n")
        filled -= block.count(b"\n\r\n") + block.startswith(b"\r\n")
        ending = "crlf" if returns == crlf == len(newlines) else "mixed" if len(newlines) else "cr"
    return _Lines(filled, ending, QUOTE in block and _has_unpaired_quotes(data, starts))


def _has_unpaired_quotes(data: np.ndarray, starts: np.ndarray) -> bool:
    """Whether in any line the quotes do not alternate between opening a field and closing it."""
    quotes = np.flatnonzero(data == QUOTE)
    line = np.searchsorted(starts, quotes, side="right") - 1
    count = np.bincount(line, minlength=len(starts))
    if (count % 2).any():
        return True
    ordinal = np.arange(len(quotes)) - (np.cumsum(count) - count)[line]
    opening, closing = quotes[ordinal % 2 == 0], quotes[ordinal % 2 == 1]
    before = data[opening - 1][~np.isin(opening, starts)]
    after = data[closing[closing + 1 < len(data)] + 1]
    return not (
        np.isin(before, (COMMA, QUOTE)).all() and np.isin(after, (COMMA, QUOTE, NEWLINE, RETURN)).all()
    )


def _repair(path: Path, columns: int, copy_to: Path) -> Framing:
    """Write a copy that holds whole records only, as UTF-8 with `\\n`; the same count from it."""
    framing = Framing(path=copy_to, records=-1, quoted=True)
    ordinal = 0
    shift = 0
    with _whole_or_nothing(path) as file, copy_to.open("wb") as out:
        reader = _LineReader(file)
        for number, line in reader:
            record = line
            if QUOTE in line:
                record = reader.complete(line, columns)
                if record is None:
                    text = _decode(line).rstrip("\r\n")
                    framing.rejected.append(RejectedLine(number, "a quote is opened and never closed", text))
                    shift += 1
                    framing.offsets.append((ordinal + 1, shift))
                    continue
            ordinal += 1
            out.write(_normalised(record))
            framing.records += bool(record.strip(b"\r\n"))
            if reader.number > number:
                shift += reader.number - number
                framing.offsets.append((ordinal + 1, shift))
    framing.records = max(framing.records, 0)
    return framing


def _normalised(record: bytes) -> bytes:
    text = _decode(record).replace("\r\n", "\n")
    if "\r" in text and '"' not in text:
        # The parser would end the line here; no quotes say that the CR belongs to the field.
        text = text.replace("\r", " ")
    return text.encode()


class _LineReader:
    """Lines of a file with their numbers, and the lines that belong to a record begun on one."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._ahead: list[bytes] = []
        self.number = 0

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        while line := self._next():
            self.number += 1
            yield self.number, line.removeprefix(BOM) if self.number == 1 else line

    def _next(self) -> bytes:
        return self._ahead.pop(0) if self._ahead else self._file.readline()

    def complete(self, line: bytes, columns: int) -> bytes | None:
        """The record that begins with `line`, further lines included; None if it has no end.

        The record ends at the first line end outside quotes. The quote was a stray one, and the
        lines after it are records of their own, if the record then has not the header's number
        of columns, or if a line in its middle has: one bad line costs one line.
        """
        if _width(line) is not None:
            return line
        record = line
        looked: list[bytes] = []
        while len(record) < MAX_RECORD_BYTES and (following := self._next()):
            looked.append(following)
            record += following
            width = _width(record) if QUOTE in following else None
            if width == columns:
                self.number += len(looked)
                return record
            if width is not None or following.count(b",") == columns - 1:
                break
        self._ahead = looked + self._ahead
        return None


def _width(record: bytes) -> int | None:
    """Number of columns of a record, -1 if text follows a closing quote, None if a quote is open."""
    try:
        (fields,) = csv.reader([_decode(record)], strict=True, skipinitialspace=True)
    except csv.Error as error:
        return None if "unexpected end of data" in str(error) else -1
    return len(fields)


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    """Blocks that end at a line's end (the last at the file's), without the byte order mark."""
    rest = b""
    first = True
    while chunk := file.read(BLOCK_BYTES):
        data = rest + chunk
        cut = data.rfind(b"\n") + 1
        data, rest = data[:cut], data[cut:]
        if first and data:
            data = data.removeprefix(BOM)
            first = False
        if data:
            yield data
    if first:
        rest = rest.removeprefix(BOM)
    if rest:
        yield rest


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


class _whole_or_nothing:  # noqa: N801 - reads as a statement: with _whole_or_nothing(path) as file
    """Open a file for reading; a gzip that is damaged or stops early becomes an error in words."""

    def __init__(self, path: Path) -> None:
        self._file = open_bytes(path)

    def __enter__(self) -> BinaryIO:
        return self._file

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._file.close()
        if isinstance(error, EOFError):
            raise UnreadableFileError("the gzip is truncated: its end is missing") from error
        if isinstance(error, gzip.BadGzipFile | zlib.error):
            raise UnreadableFileError(f"the gzip is damaged: {error}") from error
