"""The formats in which files are delivered; what is after this is the same for all of them."""

from pathlib import Path

from ingestion.formats import csv_parser, csv_records, parquet_parser
from ingestion.formats.parsed_file import ParsedFile, RowShape


def read_header(path: Path) -> list[str]:
    """Names of a file's columns, as written.

    Raises:
        UnreadableFileError: the file has none; the message says why.
        OSError: the file cannot be read.
    """
    return parquet_parser.read_column_names(path) if _is_parquet(path) else csv_records.read_header(path)


def read_rows(path: Path, shape: RowShape, *, parquet: Path) -> ParsedFile:
    """Write a file's rows as one Parquet file of text columns.

    Args:
        path: the delivered file.
        shape: the columns to write.
        parquet: the file to write; other files may come beside it.

    Raises:
        UnreadableFileError: the file as a whole cannot be loaded; the message says why.
        OSError: the file cannot be read.
    """
    read = parquet_parser.read_rows if _is_parquet(path) else csv_parser.read_rows
    return read(path, shape, parquet=parquet)


def _is_parquet(path: Path) -> bool:
    return path.name.lower().endswith(".parquet")
