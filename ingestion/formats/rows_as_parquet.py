"""JSON lines and sheets of workbooks as Parquet files of text columns, written in batches."""

import json
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date, datetime, time
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ingestion.characters import strip_nul
from ingestion.formats.csv_lines import BOM, check_size, decode, open_plain, read_blocks
from ingestion.formats.csv_records import KEPT_CHARACTERS
from ingestion.formats.parsed_file import RejectedLine, UnreadableFileError, check_number_of_columns
from ingestion.json_records import ExactNumber, InvalidRecordError, to_row
from settings.file_limits import FileLimits

BATCH_ROWS = 10_000
# The key under which the names of the columns stand in the metadata of the schema.
NAMES = b"names"


class Rejections:
    """The rejected records of a file, as far as they are kept."""

    def __init__(self, limits: FileLimits) -> None:
        self.lines: list[RejectedLine] = []
        self._most = limits.rejected_lines
        self._further = 0

    def add(self, number: int, reason: str, line: str) -> None:
        """Reject a record."""
        if len(self.lines) < self._most:
            self.lines.append(RejectedLine(number, reason, strip_nul(line[:KEPT_CHARACTERS])))
            return
        self._further += 1
        reason = f"further lines are rejected and not kept; SLUICE_MAX_REJECTED_LINES is {self._most:,}"
        self.lines[self._most :] = [RejectedLine(number, reason, "", self._further)]


def write_json_lines(path: Path, limits: FileLimits, target: Path) -> list[RejectedLine]:
    """Write the objects of a file of JSON lines as rows; nested values are JSON texts.

    Args:
        path: the delivered file, plain or a gzip.
        limits: what the file may hold.
        target: the Parquet file to write.

    Returns:
        the lines that are not JSON objects.

    Raises:
        UnreadableFileError: no line is an object, or the file is larger than the limits allow.
        OSError: the file cannot be read.
    """
    names: dict[str, None] = {}
    for _, row, _, _ in _json_rows(path, limits):
        if row and not row.keys() <= names.keys():
            names |= dict.fromkeys(row)
            check_number_of_columns([*names], limits)
    rejections = Rejections(limits)

    def rows() -> Iterator[Sequence[str | None]]:
        for number, row, reason, line in _json_rows(path, limits):
            if row is None:
                rejections.add(number, reason, line)
            else:
                yield [row.get(name) for name in names]

    if not names:
        raise UnreadableFileError("none of its lines is a JSON object with fields")
    _write([*names], rows(), target)
    return rejections.lines


def _json_rows(
    path: Path, limits: FileLimits
) -> Iterator[tuple[int, dict[str, str | None] | None, str, str]]:
    """Yield for each line its number, and its values or the reason why it has none, and its text."""
    number = 0
    with open_plain(path) as file:
        for block, _ in read_blocks(file, limits, size=path.stat().st_size):
            for line in block.removesuffix(b"\n").split(b"\n"):
                number += 1
                text = decode(line.removeprefix(BOM) if number == 1 else line).rstrip("\r")
                if not text.strip():
                    continue
                if len(line) > limits.line_bytes:
                    yield (
                        number,
                        None,
                        f"longer than {limits.line_bytes:,} bytes (SLUICE_MAX_LINE_BYTES)",
                        text,
                    )
                    continue
                try:
                    yield number, to_row(json.loads(text, parse_float=ExactNumber)), "", text
                except InvalidRecordError as error:
                    yield number, None, str(error), text
                except (ValueError, RecursionError) as error:
                    yield number, None, f"not JSON: {error}", text


def sheets(path: Path, limits: FileLimits) -> list[str]:
    """Return the names of a workbook's sheets that are not hidden.

    Raises:
        UnreadableFileError: the file is not a workbook, or unpacks to more than the limits allow.
    """
    with closing(_workbook(path, limits)) as book:
        return [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]


def write_sheet(path: Path, sheet: str, limits: FileLimits, target: Path) -> list[RejectedLine]:
    """Write the rows of a sheet; its first row with a value is the header. Formulas have the value that was saved.

    Args:
        path: the workbook.
        sheet: the name of the sheet; empty if it is the only visible one.
        limits: what the file may hold.
        target: the Parquet file to write.

    Returns:
        rows with values beyond the header.

    Raises:
        UnreadableFileError: there is no such sheet, or it is empty; see also `sheets`.
    """
    names = sheets(path, limits)
    wanted = sheet or (names[0] if len(names) == 1 else "")
    if wanted not in names:
        declared = f"no sheet {sheet!r}" if sheet else "several sheets"
        raise UnreadableFileError(f"it has {declared}, but {', '.join(map(repr, names[:20]))}")
    rejections = Rejections(limits)
    with closing(_workbook(path, limits)) as book:
        found = (
            (number, [_cell(cell) for cell in row]) for number, row in enumerate(book[wanted].iter_rows(), 1)
        )
        filled = ((number, _trimmed(row)) for number, row in found)
        records = ((number, row) for number, row in filled if row)
        _, header = next(records, (0, []))
        if not header:
            raise UnreadableFileError(f"its sheet {wanted!r} is empty")
        check_number_of_columns(header, limits)

        def rows() -> Iterator[Sequence[str | None]]:
            for number, row in records:
                if len(row) > len(header):
                    reason = f"{len(row)} values for {len(header)} columns"
                    rejections.add(number, reason, ",".join(value or "" for value in row))
                else:
                    yield [value for value, _ in zip_longest(row, header)]

        _write([name or "" for name in header], rows(), target)
    return rejections.lines


def _workbook(path: Path, limits: FileLimits) -> Any:
    # Few loads need it.
    import openpyxl

    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        check_size(unpacked, limits, size=path.stat().st_size)
        with warnings.catch_warnings():
            # About styles and other parts that have no values.
            warnings.simplefilter("ignore")
            return openpyxl.load_workbook(path, read_only=True, data_only=True)
    except UnreadableFileError:
        raise
    except Exception as error:
        raise UnreadableFileError("it is not an Excel workbook (.xlsx), or it is damaged") from error


def _cell(cell: Any) -> str | None:
    value = cell.value
    match value:
        case None:
            return None
        case bool():
            return str(value).lower()
        case float():
            # Excel has no integers.
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
        case datetime():
            return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
        case date() | time():
            return value.isoformat()
    return strip_nul(str(value))


def _trimmed(row: list[str | None]) -> list[str | None]:
    while row and not (row[-1] or "").strip():
        row.pop()
    return row


def _write(names: list[str], rows: Iterator[Sequence[str | None]], target: Path) -> None:
    """Write rows under numbered columns, with the names beside them: a sheet may have a name twice."""
    schema = pa.schema([(f"c{position}", pa.string()) for position in range(len(names))])
    schema = schema.with_metadata({NAMES: json.dumps(names).encode()})
    with pq.ParquetWriter(target, schema) as writer:
        batch: list[Sequence[str | None]] = []
        for row in rows:
            batch.append(row)
            if len(batch) == BATCH_ROWS:
                _write_batch(writer, schema, batch)
                batch = []
        if batch:
            _write_batch(writer, schema, batch)


def _write_batch(writer: pq.ParquetWriter, schema: pa.Schema, batch: list[Sequence[str | None]]) -> None:
    columns = [pa.array(values, pa.string()) for values in zip(*batch, strict=True)]
    writer.write_table(pa.table(columns, schema=schema))
