"""A second, plain implementation of the rule for CSV records, one character at a time, to test the first one with."""

import re
from dataclasses import dataclass, field

# A record by itself, with quotes around whole fields alone.
PLAIN = re.compile(r'(?:"(?:[^"\r\n]|"")*"|[^",\r\n]*)(?:,(?:"(?:[^"\r\n]|"")*"|[^",\r\n]*))*(?:\r?\n)?')
WITHOUT_VALUES = re.compile(r'[ \t\r]*(?:"")?[ \t\r]*(?:,[ \t\r]*(?:"")?[ \t\r]*)*\n?')
QUOTE, COMMA, LF, CR = '"', ",", "\n", "\r"


@dataclass
class Found:
    """Correct records as lists of fields (None: empty and without quotes), and the other lines with their numbers."""

    records: list[list[str | None]] = field(default_factory=list)
    rejected: list[tuple[int, str]] = field(default_factory=list)


def read(lines: list[str], columns: int, first_line: int) -> Found:
    """Find the records in lines that end with an LF, the last one perhaps without."""
    found = Found()
    at = 0
    while at < len(lines):
        fields, count = _record("".join(lines[at:]))
        if WITHOUT_VALUES.fullmatch(lines[at]):
            count = 1
        elif fields is not None and len(fields) == columns:
            found.records.append(fields)
        else:
            # One line is rejected, unless a record with correct quotes has several, none of which is one by itself.
            if (
                fields is None
                or len(fields) > columns + 1
                or any(_is_plain(line, columns) for line in lines[at + 1 : at + count])
            ):
                count = 1
            text = "".join(lines[at : at + count]).rstrip("\r\n")
            found.rejected.append((first_line + at, text))
        at += count
    return found


def _record(text: str) -> tuple[list[str | None] | None, int]:
    """Return the fields of the record at the beginning of a text and the number of its lines; None if its quotes are wrong."""
    fields: list[str | None] = []
    at = 0
    while True:
        value, at = _field(text, at)
        if at < 0:
            return None, 1
        fields.append(value)
        if text[at : at + 1] == COMMA:
            at += 1
            continue
        end = text[:at] + LF
        return fields, end.count(LF)


def _field(text: str, at: int) -> tuple[str | None, int]:
    """Return a field and the position of the comma or line end after it; -1 if its quotes are wrong."""
    begin = at
    while text[at : at + 1] == " ":
        at += 1
    if text[at : at + 1] != QUOTE:
        end = begin
        while end < len(text) and text[end] not in (COMMA, LF):
            end += 1
        value = text[begin:end]
        if text[end : end + 1] != COMMA:
            value = value.removesuffix(CR)
        return value.replace(CR, " ") or None, end
    value = ""
    at += 1
    while at < len(text):
        if text[at] != QUOTE:
            value += text[at]
            at += 1
        elif text[at + 1 : at + 2] == QUOTE:
            value += QUOTE
            at += 2
        else:
            at += 1
            if text[at : at + 1] in (COMMA, LF, ""):
                return value, at
            if text[at : at + 2] in (CR, CR + LF):
                return value, at + 1
            return value, -1
    return value, -1


def _is_plain(line: str, columns: int) -> bool:
    fields, _ = _record(line)
    return (
        PLAIN.fullmatch(line) is not None
        and not WITHOUT_VALUES.fullmatch(line)
        and len(fields or ()) == columns
    )
