"""Finds out how delivered files are written: their parts, delimiter, and whether they have a header."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from glob import escape
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from common.text import printable
from ingestion.file_format import FileFormat, form_of_name
from ingestion.files.read_file import reading
from ingestion.formats import UnreadableFileError, open_delivered, parts_of
from ingestion.formats.csv_lines import decode, open_plain
from ingestion.formats.text_as_csv import encoding_of
from ingestion.formats.zip_members import extract
from scaffolding.errors import ScaffoldingError
from settings.file_limits import FileLimits

DELIMITERS = (",", ";", "\t", "|")
SAMPLE_BYTES = 256_000
SAMPLE_LINES = 200
# A number, date or time, or nothing: what a name of a column is not.
_VALUE = re.compile(r"\s*([-+(]?[$€£]?\d[\d.,:/ TZ%+-]*\)?|\\N|)\s*")


def find_parts(path: Path, limits: FileLimits) -> list[str]:
    """Return the sheets or members of a file that has several, each an entity; a single empty text for any other file.

    Raises:
        ScaffoldingError: the file is damaged.
    """
    try:
        found = parts_of(path, limits)
    except UnreadableFileError as error:
        raise ScaffoldingError(f"{printable(str(path))}: {error}") from error
    return found if len(found) > 1 else [""]


def find_format(path: Path, part: str, names: Sequence[str], limits: FileLimits) -> FileFormat:
    """Return how a file is written.

    Args:
        path: the file.
        part: the sheet or member.
        names: the names of the columns of a file without a header, if they are given.
        limits: what the file may hold.

    Raises:
        ScaffoldingError: the file cannot be read, or has another number of columns.
    """
    sheet = part if form_of_name(path.name) != ".zip" else escape(PurePosixPath(part).name)
    with TemporaryDirectory() as folder:
        try:
            with reading(path, Path(folder)):
                return _find(path, sheet, names, limits, Path(folder))
        except UnreadableFileError as error:
            raise ScaffoldingError(f"{printable(str(path))}: {error}") from error


def _find(path: Path, sheet: str, names: Sequence[str], limits: FileLimits, work: Path) -> FileFormat:
    if form_of_name(path.name) == ".zip":
        path = extract(path, sheet, limits, work)
    suffix = form_of_name(path.name) or ""
    if not suffix.startswith((".csv", ".tsv")):
        return FileFormat(sheet=sheet)
    lines = _sample(path)
    usual = "\t" if suffix.startswith(".tsv") else ","
    delimiter = _find_delimiter(lines, usual)
    rows = _split(lines, delimiter)
    header: tuple[str, ...] = ()
    if names and rows and len(names) != len(rows[0]):
        raise UnreadableFileError(f"it has {len(rows[0])} columns, but {len(names)} names are given")
    if names or _has_no_header(rows):
        header = tuple(names) or tuple(f"column_{number}" for number in range(1, len(rows[0]) + 1))
    return FileFormat(delimiter="" if delimiter == usual else delimiter, header=header, sheet=sheet)


def _sample(path: Path) -> list[str]:
    """Return the first lines of a text file."""
    with open_plain(path) as file:
        start = file.read(SAMPLE_BYTES)
    utf16 = encoding_of(path, "utf-8") == "utf-16"
    text = start.decode("utf-16", errors="replace") if utf16 else decode(start.removeprefix(b"\xef\xbb\xbf"))
    lines = text.splitlines()[: SAMPLE_LINES + 1]
    # The last line may be cut.
    return lines[:-1] if len(start) == SAMPLE_BYTES and len(lines) > 1 else lines


def _find_delimiter(lines: list[str], usual: str) -> str:
    """Return the delimiter by which most lines have the width of the first one, the usual one if that is so for several."""

    def fit(delimiter: str) -> tuple[bool, float, bool]:
        widths = [len(row) for row in _split(lines, delimiter)]
        same = widths.count(widths[0]) / len(widths) if widths else 0
        return bool(widths) and widths[0] > 1, round(same, 1), delimiter == usual

    best = max(DELIMITERS, key=fit)
    return best if fit(best)[0] else usual


def _split(lines: list[str], delimiter: str) -> list[list[str]]:
    try:
        return [row for row in csv.reader(lines, delimiter=delimiter) if row]
    except csv.Error:
        return []


def _has_no_header(rows: list[list[str]]) -> bool:
    """Whether the first row has values where the others have numbers or dates."""
    if len(rows) < 2:
        return False
    first, others = rows[0], rows[1:]
    votes: Counter[bool] = Counter()
    for position, cell in enumerate(first):
        # A header may lack a name, a row a value.
        if not cell.strip():
            continue
        values = [row[position] for row in others if len(row) > position and row[position].strip()]
        if values and sum(map(_is_value, values)) >= 0.8 * len(values):
            votes[_is_value(cell)] += 1
    return votes[True] > votes[False]


def _is_value(text: str) -> bool:
    return _VALUE.fullmatch(text) is not None


def read_written_header(path: Path, form: FileFormat, limits: FileLimits) -> list[str]:
    """Return the names of a file's columns, as written.

    Raises:
        UnreadableFileError: the file has no usable header.
    """
    with TemporaryDirectory() as work, reading(path, Path(work)):
        return open_delivered(path, form, limits, Path(work)).read_header()
