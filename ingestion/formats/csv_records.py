"""The records of a CSV file, found before its parser is trusted.

DuckDB's reader is fast, but a truncated gzip passes, and one quote that is never closed swallows every
line after it. So each file is scanned once, in blocks and with NumPy, which counts its records
independently and finds the few lines that need care. A file without such lines is parsed as it is. Any
other file gets a repaired copy, without lines that have an unclosed quote (they are reported), and with
all text as UTF-8 with LF line ends and without NUL characters, which not every engine can store.
"""

import csv
from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ingestion.formats.characters import NO_CHARACTER, strip_nul
from ingestion.formats.csv_lines import BOM, QUOTE, RETURN, Lines, decode, is_utf8, open_plain, read_blocks
from ingestion.formats.parsed_file import RejectedLine, UnreadableFileError

# A quoted field that spans more text than this is taken for an unclosed quote; DuckDB's own
# limit for one record (`max_line_size`) is 2,000,000 bytes.
MAX_RECORD_BYTES = 1_000_000
NUL = b"\0"

csv.field_size_limit(2 * MAX_RECORD_BYTES)


@dataclass
class CsvScan:
    """The records of a file, counted before it is parsed.

    Attributes:
        path: the file to parse: the delivered one, or a repaired copy.
        records: the number of records after the header, without blank and rejected lines.
        rejected: the lines that the copy does not have.
        offsets: pairs of (record ordinal, surplus lines of all earlier records), which turn a record's
            ordinal in `path` into a line number of the delivered file.
    """

    path: Path
    records: int
    rejected: list[RejectedLine] = field(default_factory=list)
    offsets: list[tuple[int, int]] = field(default_factory=list)

    def line_number(self, ordinal: int) -> int:
        """Return the line of the delivered file (1 = header) on which record `ordinal` of `path` begins."""
        step = bisect_right(self.offsets, (ordinal, 1 << 62)) - 1
        return ordinal + (self.offsets[step][1] if step >= 0 else 0)


def read_header(path: Path) -> list[str]:
    """Return the names in the first line of a file, as written.

    Raises:
        UnreadableFileError: the file is empty or not a gzip, or its first line cannot be split.
    """
    with open_plain(path) as file:
        first = file.readline(MAX_RECORD_BYTES).removeprefix(BOM)
    if NUL in first:
        raise UnreadableFileError("it holds NUL bytes: not a text file, or UTF-16; save it as UTF-8")
    first = first.replace(b"\r", b"\n").split(b"\n")[0]
    if not first.strip():
        raise UnreadableFileError(
            "the file is empty" if not first else "the first line, the header, is blank"
        )
    try:
        (names,) = csv.reader([decode(first)], strict=True, skipinitialspace=True)
    except csv.Error as error:
        raise UnreadableFileError(
            f"the first line, the header, cannot be split into names: {error}"
        ) from error
    return [name.strip() for name in names]


def scan(path: Path, *, columns: int, copy_to: Path) -> CsvScan:
    """Read a whole file, check that it is complete and find its records.

    Args:
        path: a `.csv` or `.csv.gz` file.
        columns: the number of columns in the header.
        copy_to: the path for a repaired copy, if the file needs one.

    Raises:
        UnreadableFileError: the gzip is truncated or damaged, or the line ends are bare CRs.
    """
    records = 0
    clean = True
    endings: set[str] = set()
    with open_plain(path) as file:
        for block, _ in read_blocks(file):
            lines = Lines(block)
            records += int(lines.filled.sum())
            endings.add(lines.ending)
            clean = clean and is_utf8(block) and NUL not in block and not lines.suspicious.any()
    endings.discard("none")
    if endings == {"cr"}:
        raise UnreadableFileError("its lines end in a bare CR (old Macintosh style); save it with LF or CRLF")
    if clean and endings <= {"lf"} or clean and endings == {"crlf"}:
        return CsvScan(path=path, records=max(records - 1, 0))
    with open_plain(path) as file, copy_to.open("wb") as out:
        return _RepairedCopy(copy_to, out, columns).fill(file)


class _RepairedCopy:
    """A copy with complete records only, as UTF-8 with LF line ends, and the lines that it omits."""

    def __init__(self, path: Path, out: BinaryIO, columns: int) -> None:
        self._scan = CsvScan(path=path, records=-1)  # the header is no record
        self._out = out
        self._columns = columns
        self._ordinal = 0
        self._shift = 0

    def fill(self, file: BinaryIO) -> CsvScan:
        """Write the copy and return its scan."""
        rest = b""
        for block, last in read_blocks(file):
            rest += block
            rest = rest[self._take(rest, last) :]
        self._scan.records = max(self._scan.records, 0)
        return self._scan

    def _take(self, block: bytes, last: bool) -> int:
        """Copy a block's lines and return how many bytes of it were used.

        That is fewer than all if a record that begins in the block may end in the next one.
        """
        lines = Lines(block)
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
                self._reject(strip_nul(decode(line).rstrip("\r\n")))
            at = index + (span or 1)
        self._copy(block, lines, at, len(lines.starts))
        return len(block)

    def _copy(self, block: bytes, lines: Lines, begin: int, end: int, records: int | None = None) -> None:
        """Copy lines, of which each is a record, or all together are `records`."""
        stretch = block[lines.bounds[begin] : lines.bounds[end]]
        self._out.write(_normalized(stretch))
        self._scan.records += int(lines.filled[begin:end].sum()) if records is None else records
        self._ordinal += end - begin if records is None else records
        if records and end - begin > records:
            self._shift_lines(end - begin - records)

    def _reject(self, line: str) -> None:
        number = self._ordinal + self._shift + 1
        self._scan.rejected.append(RejectedLine(number, "a quote is opened and never closed", line))
        self._shift_lines(1)

    def _shift_lines(self, lines: int) -> None:
        self._shift += lines
        self._scan.offsets.append((self._ordinal + 1, self._shift))


def _span(block: bytes, lines: Lines, index: int, columns: int) -> int:
    """Return the number of lines of the record that begins on a line, 0 if it has no end.

    The record ends at the first line end outside quotes. If the record then does not have the header's
    number of columns, or a line in its middle does, its first line has a stray quote, and the lines
    after it are records of their own: one bad line costs one line.
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
    """Return the number of columns of a record; -1 if text follows a closing quote, None if a quote is open."""
    try:
        (fields,) = csv.reader([decode(record)], strict=True, skipinitialspace=True)
    except csv.Error as error:
        return None if "unexpected end of data" in str(error) else -1
    return len(fields)


def _normalized(lines: bytes) -> bytes:
    if not is_utf8(lines):
        lines = "".join(decode(line) for line in lines.splitlines(keepends=True)).encode()
    lines = lines.replace(b"\r\n", b"\n").replace(NUL, NO_CHARACTER.encode())
    if RETURN in lines:
        # The parser ends a line at a CR, unless it is within quotes.
        bare = (line if QUOTE in line else line.replace(b"\r", b" ") for line in lines.split(b"\n"))
        lines = b"\n".join(bare)
    return lines
