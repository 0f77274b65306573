"""Reads delivered files as a load does: the same names of columns, the same rows as texts."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from common.text import printable
from ingestion.column_names import raw_column_name
from ingestion.files.delivery import find_fault, form_of
from ingestion.files.header import EXPORT_COLUMNS
from ingestion.files.read_file import reading
from ingestion.formats import ParsedFile, RowShape, UnreadableFileError, parse, read_header
from scaffolding.errors import ScaffoldingError
from settings.file_limits import FileLimits

SPREADSHEET = "save each of its sheets as CSV (UTF-8, separated by commas)"
UNPACK = "unpack it, and name the files in it"
JSON = "convert it to Parquet: duckdb -c \"copy (from read_json('FILE')) to 'FILE.parquet'\""
ADVICE = {
    **dict.fromkeys((".xlsx", ".xls", ".xlsm", ".ods"), SPREADSHEET),
    **dict.fromkeys((".zip", ".7z", ".tar", ".tgz", ".rar"), UNPACK),
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), JSON),
    **dict.fromkeys((".bz2", ".xz", ".zst"), "unpack it, or pack it with gzip"),
}
COMMAS = "save it as CSV with commas between the values, and with the suffix .csv"
DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
# First bytes of files that are not what their suffix says.
MAGIC = {
    b"PK\x03\x04": ("a zip archive or an Excel file", f"{SPREADSHEET}, or {UNPACK}"),
    b"PAR1": ("Parquet", "name it .parquet"),
    b"\xff\xfe": ("text in UTF-16", "save it as UTF-8"),
    b"\xfe\xff": ("text in UTF-16", "save it as UTF-8"),
    b"\x1f\x8b": ("packed with gzip", "name it .csv.gz"),
    b"%PDF": ("PDF", COMMAS),
}


def check_form(path: Path) -> None:
    """Check that a file exists and that its form is taken.

    Raises:
        ScaffoldingError: it is not; the message names the form and what to convert it to.
    """
    shown = printable(str(path))
    if not path.exists():
        raise ScaffoldingError(f"{shown}: there is no such file")
    if not form_of(path):
        advice = ADVICE.get(path.suffix.lower(), COMMAS)
        raise ScaffoldingError(
            f"{shown}: files with the suffix {path.suffix or '(none)'} are not taken; {advice}"
        )
    if fault := find_fault(path.resolve()):
        raise ScaffoldingError(f"{shown}: {fault}")
    if form_of(path) == ".csv":
        with path.open("rb") as file:
            start = file.read(4)
        for magic, (form, advice) in MAGIC.items():
            if start.startswith(magic):
                raise ScaffoldingError(f"{shown}: it is not CSV but {form}; {advice}")


def read_names(path: Path, limits: FileLimits) -> list[str]:
    """Return the raw names of a file's columns.

    Raises:
        ScaffoldingError: the file has no usable header.
    """
    try:
        with TemporaryDirectory() as work, reading(path, Path(work)):
            written = read_header(path, limits)
        return _raw_names(written)
    except (UnreadableFileError, ScaffoldingError) as error:
        raise ScaffoldingError(f"{printable(str(path))}: {error}") from error


def _raw_names(written: Sequence[str]) -> list[str]:
    if len(written) == 1:
        for delimiter, words in DELIMITERS.items():
            if delimiter in written[0]:
                raise ScaffoldingError(f"its values are separated by {words}; {COMMAS}")
        if written[0].lstrip().startswith(("{", "[")):
            raise ScaffoldingError(f"it is JSON; {JSON}")
    if "" in written:
        raise ScaffoldingError(f"column {written.index('') + 1} of the header has no name; give it one")
    if any(name.lower() in EXPORT_COLUMNS for name in written):
        raise ScaffoldingError("it is an export of a quarantine, which is delivered to its own domain")
    if sum(not re.search(r"[^\W\d_]", name) for name in written) * 2 >= len(written):
        first = json.dumps(written[:5], ensure_ascii=False)
        raise ScaffoldingError(
            f"its first line seems to be no header, but data: {first}; add a line with names"
        )
    names = [raw_column_name(name) for name in written]
    seen: dict[str, str] = {}
    for name, delivered in zip(names, written, strict=True):
        # As the header of a load: names that differ in case and underscores only are the same.
        if (other := seen.setdefault(name.replace("_", ""), delivered)) is not delivered:
            raise ScaffoldingError(f"columns {other!r} and {delivered!r} have one name; rename or remove one")
    return names


def read_rows(path: Path, names: list[str], limits: FileLimits, work: Path) -> ParsedFile:
    """Return the rows of a file as a load reads them.

    Args:
        path: the file.
        names: its raw names.
        limits: what the file may hold.
        work: an empty folder for the rows.

    Raises:
        ScaffoldingError: the file cannot be loaded.
    """
    # Under a name of its own, because DuckDB takes some characters of a path for a pattern.
    delivered = work / f"delivered{form_of(path)}"
    delivered.symlink_to(path.resolve())
    shape = RowShape(names, {"_source_file": path.name}, "row")
    try:
        with reading(path, work):
            return parse(delivered, shape, limits, parquet=work / "rows.parquet")
    except UnreadableFileError as error:
        raise ScaffoldingError(f"{printable(str(path))}: {error}") from error
