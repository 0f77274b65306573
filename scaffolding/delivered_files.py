"""Reads delivered files as a load does: the same names of columns, the same rows as texts."""

from collections.abc import Sequence
from pathlib import Path

from common.text import printable
from ingestion.column_names import raw_column_name
from ingestion.file_format import TAKEN, FileFormat, form_of_name
from ingestion.files.delivery import find_fault
from ingestion.files.file_resource import EXPORT_COLUMNS
from ingestion.files.read_file import reading
from ingestion.formats import ParsedFile, RowShape, UnreadableFileError, open_delivered
from scaffolding.errors import ScaffoldingError
from scaffolding.file_formats import read_written_header
from settings.file_limits import FileLimits

SPREADSHEET = "save it as .xlsx"
UNPACK = "unpack it, or pack its files as .zip"
ADVICE = {
    **dict.fromkeys((".xls", ".xlsm", ".ods"), SPREADSHEET),
    **dict.fromkeys((".7z", ".tar", ".tgz", ".rar", ".bz2", ".xz", ".zst"), UNPACK),
    ".json": "convert it to JSON lines: one object in each line, as .jsonl",
    ".txt": "name it .csv or .tsv",
}
# First bytes of files that are not what their suffix says.
MAGIC = {
    b"PK\x03\x04": ("a zip archive or an Excel file", "name it .zip or .xlsx"),
    b"PAR1": ("Parquet", "name it .parquet"),
    b"\x1f\x8b": ("packed with gzip", "name it .csv.gz"),
    b"%PDF": ("PDF", "save it as .csv or .xlsx"),
    b"{": ("JSON", "name it .jsonl if each line is an object"),
}


# The name of a column that has none in the header, by its position.
UNNAMED = "column {}"


def check_form(path: Path) -> None:
    """Check that a file exists and that its form is taken.

    Raises:
        ScaffoldingError: it is not; the message names the form and what to convert it to.
    """
    shown = printable(str(path))
    if not path.exists():
        raise ScaffoldingError(f"{shown}: there is no such file")
    if not form_of_name(path.name):
        advice = ADVICE.get(path.suffix.lower(), f"deliver it as {TAKEN}")
        raise ScaffoldingError(
            f"{shown}: files with the suffix {path.suffix or '(none)'} are not taken; {advice}"
        )
    if fault := find_fault(path.resolve()):
        raise ScaffoldingError(f"{shown}: {fault}")
    if form_of_name(path.name) == ".csv":
        with path.open("rb") as file:
            start = file.read(4)
        for magic, (form, advice) in MAGIC.items():
            if start.startswith(magic):
                raise ScaffoldingError(f"{shown}: it is not CSV but {form}; {advice}")


def read_names(path: Path, form: FileFormat, limits: FileLimits) -> dict[str, str]:
    """Return the raw names of a file's columns, each with its name in the header.

    Raises:
        ScaffoldingError: the file has no usable header.
    """
    try:
        written = read_written_header(path, form, limits)
        return dict(zip(_raw_names(written), written, strict=True))
    except (UnreadableFileError, ScaffoldingError) as error:
        raise ScaffoldingError(f"{printable(str(path))}: {error}") from error


def _raw_names(written: Sequence[str]) -> list[str]:
    if written.count("") > 1:
        raise ScaffoldingError(f"{written.count('')} columns of the header have no name; give them names")
    if any(name.lower() in EXPORT_COLUMNS for name in written):
        raise ScaffoldingError("it is an export of a quarantine, which is delivered to its own domain")
    names = [
        raw_column_name(name or UNNAMED.format(position)) for position, name in enumerate(written, start=1)
    ]
    seen: dict[str, str] = {}
    for name, delivered in zip(names, written, strict=True):
        # As the header of a load: names that differ in case and underscores only are the same.
        if (other := seen.setdefault(name.replace("_", ""), delivered)) is not delivered:
            raise ScaffoldingError(f"columns {other!r} and {delivered!r} have one name; rename or remove one")
    return names


def read_rows(path: Path, form: FileFormat, names: list[str], limits: FileLimits, work: Path) -> ParsedFile:
    """Return the rows of a file as a load reads them.

    Args:
        path: the file.
        form: how it is written.
        names: its raw names.
        limits: what the file may hold.
        work: an empty folder for the rows.

    Raises:
        ScaffoldingError: the file cannot be loaded.
    """
    shape = RowShape(names, {"_source_file": path.name}, "row")
    try:
        with reading(path, work):
            return open_delivered(path, form, limits, work).parse(shape, parquet=work / "rows.parquet")
    except UnreadableFileError as error:
        raise ScaffoldingError(f"{printable(str(path))}: {error}") from error
