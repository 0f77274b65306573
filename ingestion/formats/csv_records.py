"""The records of a CSV file, found before its parser is trusted.

DuckDB's reader is fast, but a truncated gzip passes, one quote that is never closed swallows every line after it, and
a value too many is dropped where it is empty. So each file is scanned once, in blocks and with NumPy, by one rule (see
`csv_grammar`). A file in which every line is plain is parsed as it is. Of any other file the parser gets a copy with
its correct records alone, as UTF-8 with LF line ends and without NUL characters, which not every engine can store; all
other lines are rejected as they were delivered.
"""

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ingestion.characters import NO_CHARACTER, strip_nul
from ingestion.formats.csv_grammar import Broken, Grammar
from ingestion.formats.csv_lines import BOM, NUL, Lines, decode, is_utf8, open_plain, read_blocks
from ingestion.formats.parsed_file import RejectedLine, UnreadableFileError, check_number_of_columns
from settings.file_limits import FileLimits

# Spreadsheets write it before the header to say how the values are separated.
_SEPARATOR_LINE = re.compile(rb'"?sep=(.?)"?\s*', re.IGNORECASE)
# A rejected line is kept up to this length.
KEPT_CHARACTERS = 10_000


@dataclass
class CsvScan:
    """The records of a file, counted before it is parsed.

    Attributes:
        path: the file to parse: the delivered one, or a copy of its correct records.
        skip: how many lines of `path` come before the records.
        records: the number of correct records.
        rejected: the lines that are none, as far as they are kept; the last entry stands for those that are not.
    """

    path: Path
    skip: int
    records: int = 0
    rejected: list[RejectedLine] = field(default_factory=list)


def read_header(path: Path, limits: FileLimits) -> list[str]:
    """Return the names of the columns, as written.

    Raises:
        UnreadableFileError: the file is empty or not a gzip, its header cannot be split, or it has too many columns.
    """
    with open_plain(path) as file:
        header, _ = find_header(file, limits)
    try:
        (names,) = csv.reader([decode(header)], strict=True, skipinitialspace=True)
    except csv.Error as error:
        raise UnreadableFileError(
            f"the first line, the header, cannot be split into names: {error}"
        ) from error
    check_number_of_columns(names, limits)
    return [name.strip() for name in names]


def scan(
    path: Path,
    columns: int,
    limits: FileLimits,
    *,
    copy_to: Path,
    always_copy: bool = False,
    on_copy: Callable[[], object] = lambda: None,
) -> CsvScan:
    """Read a whole file, check that it is complete and find its records.

    Args:
        path: a `.csv` or `.csv.gz` file.
        columns: the number of columns in the header.
        limits: what the file may hold.
        copy_to: the path for a copy of the correct records, if the file needs one.
        always_copy: make the copy in any case.
        on_copy: called when it turns out that the file needs the copy.

    Raises:
        UnreadableFileError: the gzip is truncated or damaged, the line ends are bare CRs, or the file is too large.
    """
    counted = 0
    endings: set[str] = set()
    with open_plain(path) as file:
        _, skip = find_header(file, limits)
        if not always_copy:
            for block, _ in read_blocks(file, limits, size=path.stat().st_size):
                lines = Lines(block, columns, limits.line_bytes)
                endings |= {lines.ending} - {"none"}
                if not _is_as_parsed(block, lines) or len(endings) > 1:
                    break
                counted += int(lines.plain.sum())
            else:
                return CsvScan(path, skip, counted)
            on_copy()
    with open_plain(path) as file, copy_to.open("wb") as out:
        _, skip = find_header(file, limits)
        return _Copy(CsvScan(copy_to, 0), skip, out, Grammar(columns, limits.line_bytes), limits).fill(
            file, columns, path.stat().st_size
        )


def _is_as_parsed(block: bytes, lines: Lines) -> bool:
    return lines.ending != "mixed" and lines.is_plain and is_utf8(block) and NUL not in block


def find_header(file: BinaryIO, limits: FileLimits) -> tuple[bytes, int]:
    """Read up to the first record; return the header and the number of lines before the record.

    Raises:
        UnreadableFileError: the file is empty, or its first lines are no header.
    """
    number = 1
    line = file.readline(limits.line_bytes + 1).removeprefix(BOM)
    if found := _SEPARATOR_LINE.fullmatch(line):
        if found[1] != b",":
            raise UnreadableFileError(
                f"its first line, {decode(line).strip()!r}, says that commas do not separate its values; "
                "save it as a comma-separated file"
            )
        number = 2
        line = file.readline(limits.line_bytes + 1)
    if NUL in line:
        raise UnreadableFileError("it holds NUL bytes: not a text file, or UTF-16; save it as UTF-8")
    if len(line) > limits.line_bytes:
        raise UnreadableFileError(
            f"its header is longer than {limits.line_bytes:,} bytes, the limit of SLUICE_MAX_LINE_BYTES"
        )
    if b"\r" in (content := line.removesuffix(b"\n").removesuffix(b"\r")):
        raise UnreadableFileError("its lines end in a bare CR (old Macintosh style); save it with LF or CRLF")
    if not content.strip():
        raise UnreadableFileError("the file is empty" if not line else "the first line, the header, is blank")
    return content, number


class _Copy:
    """A copy with the correct records of a file alone, and the lines that it omits."""

    def __init__(
        self, found: CsvScan, skipped: int, out: BinaryIO, grammar: Grammar, limits: FileLimits
    ) -> None:
        self._scan = found
        self._out = out
        self._grammar = grammar
        self._limits = limits
        self._before = skipped  # lines of the delivered file before the block
        self._dropped = 0
        self._first_dropped = 0

    def fill(self, file: BinaryIO, columns: int, size: int) -> CsvScan:
        """Write the copy and return its scan."""
        rest = b""
        for block, last in read_blocks(file, self._limits, size=size):
            rest += block
            lines = Lines(rest, columns, self._limits.line_bytes)
            used = self._take(rest, lines, last=last)
            self._before += used
            rest = rest[lines.bounds[used] :]
        if self._dropped:
            reason = (
                f"{self._dropped:,} further lines were rejected; SLUICE_MAX_REJECTED_LINES keeps the first "
                f"{self._limits.rejected_lines:,}"
            )
            self._scan.rejected.append(RejectedLine(self._first_dropped, reason, "", self._dropped))
        return self._scan

    def _take(self, block: bytes, lines: Lines, *, last: bool) -> int:
        """Copy a block's records and return how many of its lines were used.

        Those are fewer than all if a record that begins in the block may end in the next one.
        """
        at = 0
        for index in np.flatnonzero(lines.careful).tolist():
            if index < at:
                continue  # a line of the record before
            self._take_simple(lines, at, index)
            at = index
            record = self._grammar.read(block, lines, index, last=last)
            if record is None:
                return index
            if isinstance(record, Broken):
                self._reject(lines, index, record.lines, record.reason)
            else:
                self._write(record.content)
                self._scan.records += 1
            at = index + record.lines
        self._take_simple(lines, at, len(lines))
        return len(lines)

    def _take_simple(self, lines: Lines, begin: int, end: int) -> None:
        """Copy the plain lines of a stretch without careful ones; reject those of another width."""
        plain = lines.plain[begin:end]
        self._scan.records += int(plain.sum())
        self._write(lines.select(begin, end, plain))
        wrong = np.flatnonzero(~plain & ~lines.blank[begin:end])
        kept = max(self._limits.rejected_lines - len(self._scan.rejected), 0)
        for index in wrong[:kept].tolist():
            line = lines.line(begin + index)
            self._reject(lines, begin + index, 1, self._grammar.wrong_width(line))
        if len(wrong) > kept:
            self._drop(begin + int(wrong[kept]), len(wrong) - kept)

    def _reject(self, lines: Lines, index: int, count: int, reason: str) -> None:
        if len(self._scan.rejected) >= self._limits.rejected_lines:
            self._drop(index, 1)
            return
        text = strip_nul(decode(lines.line(index, index + count)).rstrip("\r\n"))
        if len(text) > KEPT_CHARACTERS:
            reason += f"; its first {KEPT_CHARACTERS:,} characters are kept"
            text = text[:KEPT_CHARACTERS]
        self._scan.rejected.append(RejectedLine(self._before + index + 1, reason, text))

    def _drop(self, index: int, count: int) -> None:
        self._first_dropped = self._first_dropped or self._before + index + 1
        self._dropped += count

    def _write(self, records: bytes) -> None:
        if not (is_utf8(records)):
            records = decode(records).encode()
        self._out.write(records.replace(NUL, NO_CHARACTER.encode()))
