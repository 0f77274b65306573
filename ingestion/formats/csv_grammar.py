"""What a CSV record is (RFC 4180), for the lines that need a closer look.

A field is either within quotes, with blanks at most before them and each quote inside doubled, or it does not begin
with a quote; then a quote within it is text (`5" pipe`). A record ends at the first line end outside quotes and has
exactly as many fields as the header. Correct quoting decides first. Only what has none is guessed about: its first
line is taken for broken, and the next one for a new record, so that one stray quote costs one line.
"""

import re
from dataclasses import dataclass

from ingestion.formats.csv_lines import Lines

_QUOTED = rb' *+"(?:[^"]++|"")*+"'
_FIELD = rb"(?:" + _QUOTED + rb'|(?! *+")[^,\n]*+)'
_END = rb"\r?(?:\n|\Z)"
_LINE = re.compile(_FIELD + rb"(?:," + _FIELD + rb")*+" + _END)
_OPEN = re.compile(rb"(?:" + _FIELD + rb',)*+ *+"(?:[^"]++|"")*+')
# The fields of a record that ends with an LF; group 1 is what is within quotes.
_SPLIT = re.compile(rb'(?: *+"((?:[^"]++|"")*+)"|((?! *+")[^,\n]*+))[,\n]')

UNCLOSED = "a quote is opened and not closed correctly"
AFTER_QUOTE = "text follows a closing quote"


@dataclass(frozen=True)
class Record:
    """A correct record: how many lines it has, and its bytes with plain quotes and an LF."""

    lines: int
    content: bytes


@dataclass(frozen=True)
class Broken:
    """Lines that are no correct record, with the reason."""

    lines: int
    reason: str


class Grammar:
    """The records of a file whose header has a certain number of columns."""

    def __init__(self, columns: int, max_bytes: int) -> None:
        self._columns = columns
        self._max_bytes = max_bytes
        self._exact = re.compile(_FIELD + rb"(?:," + _FIELD + rb"){%d}+" % (columns - 1) + _END)
        # One field more than the header has columns: further ones would not change the verdict.
        self._any = re.compile(_FIELD + rb"(?:," + _FIELD + rb"){0,%d}+" % columns + _END)

    def read(self, block: bytes, lines: Lines, index: int, *, last: bool) -> Record | Broken | None:
        """Return the record that begins on a line.

        Args:
            block: the bytes of `lines`.
            lines: the lines of a block.
            index: the line on which the record begins.
            last: whether the file ends with the block; if not, None says that the record may end in the next one.
        """
        start = int(lines.bounds[index])
        if int(lines.bounds[index + 1]) - start > self._max_bytes:
            return Broken(1, self.too_long)
        most = min(start + self._max_bytes, len(block))
        if found := _match(self._exact, block, start, most):
            return Record(_lines_of(lines, index, found.end()), _with_plain_quotes(found.group()))
        if not last and len(block) - start < self._max_bytes:
            return None
        return self._broken(block, lines, index, most)

    @property
    def too_long(self) -> str:
        """The reason for which a long line is rejected."""
        return f"it is longer than {self._max_bytes:,} bytes, the limit of SLUICE_MAX_LINE_BYTES"

    def wrong_width(self, record: bytes) -> str:
        """Return the reason for which a record with correct quotes is rejected."""
        fields = sum(1 for _ in _SPLIT.finditer(_ended(record)))
        than = "fewer" if fields < self._columns else "more"
        values = f"{fields:,} value{'' if fields == 1 else 's'}"
        return f"{than} columns than the header: {values} for {self._columns:,} columns"

    def _broken(self, block: bytes, lines: Lines, index: int, most: int) -> Broken:
        line = lines.line(index)
        if _LINE.fullmatch(line):
            return Broken(1, self.wrong_width(line))
        if found := _match(self._any, block, int(lines.bounds[index]), most):
            count = _lines_of(lines, index, found.end())
            if not lines.plain[index + 1 : index + count].any():
                return Broken(count, self.wrong_width(found.group()))
        return Broken(1, UNCLOSED if _OPEN.fullmatch(line) else AFTER_QUOTE)


def _match(pattern: re.Pattern[bytes], block: bytes, start: int, most: int) -> re.Match[bytes] | None:
    found = pattern.match(block, start, most)
    # The pattern takes the end of what is searched for the file's end.
    was_cut = found and found.end() == most < len(block) and not block.endswith(b"\n", start, most)
    return None if was_cut else found


def _lines_of(lines: Lines, index: int, end: int) -> int:
    return int(lines.bounds.searchsorted(end)) - index


def _ended(record: bytes) -> bytes:
    return record.removesuffix(b"\n").removesuffix(b"\r") + b"\n"


def _with_plain_quotes(record: bytes) -> bytes:
    """Return a correct record with quotes only around whole fields and, outside quotes, without CRs."""
    return b",".join(map(_written, _SPLIT.finditer(_ended(record)))) + b"\n"


def _written(field: re.Match[bytes]) -> bytes:
    quoted, text = field.groups()
    if quoted is not None:
        return b'"' + quoted + b'"'
    text = text.replace(b"\r", b" ")
    return b'"' + text.replace(b'"', b'""') + b'"' if b'"' in text else text
