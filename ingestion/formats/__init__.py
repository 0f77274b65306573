"""The formats in which files are delivered; everything after parsing is the same for all of them."""

from pathlib import Path

from ingestion.formats import csv_parser, csv_records, parquet_parser
from ingestion.formats.parsed_file import ParsedFile, RejectedLine, RowShape, UnreadableFileError
from settings.file_limits import FileLimits

__all__ = ["ParsedFile", "RejectedLine", "RowShape", "UnreadableFileError", "parse", "read_header"]


def read_header(path: Path, limits: FileLimits) -> list[str]:
    """Return the names of a file's columns, as written.

    Raises:
        UnreadableFileError: the file has none; the message says why.
        OSError: the file cannot be read.
    """
    return (
        parquet_parser.read_column_names(path, limits)
        if _is_parquet(path)
        else csv_records.read_header(path, limits)
    )


def parse(path: Path, shape: RowShape, limits: FileLimits, *, parquet: Path) -> ParsedFile:
    """Write a file's rows as one Parquet file of text columns.

    Args:
        path: the delivered file.
        shape: the columns to write.
        limits: what the file may hold.
        parquet: the file to write; other files may appear beside it.

    Raises:
        UnreadableFileError: the file as a whole cannot be loaded; the message says why.
        OSError: the file cannot be read.
    """
    if _is_parquet(path):
        return parquet_parser.read_rows(path, shape, parquet=parquet)
    return csv_parser.read_rows(path, shape, limits, parquet=parquet)


def _is_parquet(path: Path) -> bool:
    return path.name.lower().endswith(".parquet")
