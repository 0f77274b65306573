"""A delivered file as the CSV or Parquet file that a parser reads."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow.parquet as pq

from ingestion.file_format import FileFormat, form_of_name
from ingestion.formats import csv_parser, csv_records, parquet_parser
from ingestion.formats.parsed_file import ParsedFile, RejectedLine, RowShape
from ingestion.formats.rows_as_parquet import NAMES, sheets, write_json_lines, write_sheet
from ingestion.formats.text_as_csv import Restored, encoding_of, write_csv
from ingestion.formats.zip_members import extract, members
from settings.file_limits import FileLimits

# The header of an export of the quarantine begins so: it is CSV, whatever the files of its entity are.
EXPORT = b"_entity,"


@dataclass(frozen=True)
class Delivered:
    """A delivered file, open for the parser.

    Attributes:
        path: a CSV or Parquet file: the delivered one, or what was made of it.
        limits: what it may hold.
        restored: how texts of `path` become those of the delivered file.
        rejected: records that were rejected already.
    """

    path: Path
    limits: FileLimits
    restored: Restored = Restored()
    rejected: Sequence[RejectedLine] = ()

    def read_header(self) -> list[str]:
        """Return the names of the columns, as written.

        Raises:
            UnreadableFileError: the file has none; the message says why.
            OSError: the file cannot be read.
        """
        if not self._is_parquet:
            return [self.restored.text(name) for name in csv_records.read_header(self.path, self.limits)]
        names = parquet_parser.read_column_names(self.path, self.limits)
        written = pq.read_schema(self.path).metadata or {}
        return json.loads(written[NAMES]) if NAMES in written else names

    def parse(self, shape: RowShape, *, parquet: Path) -> ParsedFile:
        """Write the rows as one Parquet file of text columns.

        Args:
            shape: the columns to write.
            parquet: the file to write; other files may appear beside it.

        Raises:
            UnreadableFileError: the file as a whole cannot be loaded; the message says why.
            OSError: the file cannot be read.
        """
        if self._is_parquet:
            parsed = parquet_parser.read_rows(self.path, shape, parquet=parquet)
            return replace(parsed, rejected=[*self.rejected])
        parsed = csv_parser.read_rows(self.path, shape, self.limits, parquet=parquet, restored=self.restored)
        return replace(parsed, rejected=[self._delivered(line) for line in parsed.rejected])

    @property
    def _is_parquet(self) -> bool:
        return self.path.suffix == ".parquet"

    def _delivered(self, line: RejectedLine) -> RejectedLine:
        number = line.line_number - self.restored.added_lines
        return replace(line, line_number=number, line=self.restored.text(line.line))


def open_delivered(path: Path, form: FileFormat, limits: FileLimits, work: Path) -> Delivered:
    """Return a delivered file in a form that a parser reads.

    Args:
        path: the file, in one of `FORMS`.
        form: how it is written.
        limits: what it may hold.
        work: a folder for what is made of it.

    Raises:
        UnreadableFileError: the file as a whole cannot be loaded; the message says why.
        OSError: the file cannot be read.
    """
    suffix = form_of_name(path.name) or ""
    # Under a name of its own, because DuckDB takes some characters of a path for a pattern.
    link = work / f"delivered{suffix}"
    link.symlink_to(path.resolve())
    if suffix == ".zip":
        link = extract(link, form.sheet, limits, work)
        suffix = form_of_name(link.name) or ""
        # The pattern named the member; a workbook in it has one sheet.
        form = replace(form, sheet="")
    if suffix == ".parquet":
        return Delivered(link, limits)
    rows = work / "delivered_rows.parquet"
    if suffix == ".xlsx":
        return Delivered(rows, limits, rejected=write_sheet(link, form.sheet, limits, rows))
    if suffix.startswith((".jsonl", ".ndjson")):
        return Delivered(rows, limits, rejected=write_json_lines(link, limits, rows))
    delimiter = form.delimiter or ("\t" if suffix.startswith(".tsv") else ",")
    is_plain = delimiter == "," and not form.header and encoding_of(link, form.encoding) == "utf-8"
    if is_plain or _is_export(link):
        return Delivered(link, limits)
    text = work / "delivered_text.csv"
    return Delivered(text, limits, write_csv(link, form, delimiter, limits, text))


def parts_of(path: Path, limits: FileLimits) -> list[str]:
    """Return the sheets of a workbook or the members of a .zip, and nothing for any other file.

    Raises:
        UnreadableFileError: the file is damaged.
    """
    match form_of_name(path.name):
        case ".xlsx":
            return sheets(path, limits)
        case ".zip":
            return members(path)
    return []


def _is_export(path: Path) -> bool:
    with csv_records.open_plain(path) as file:
        return file.read(len(EXPORT)) == EXPORT
