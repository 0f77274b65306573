"""Parse a CSV file into a Parquet file of text columns with DuckDB, and check the result against a scan."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from ingestion.formats.csv_records import CsvScan, scan
from ingestion.formats.parsed_file import PARQUET, ParsedFile, RejectedLine, RowShape, UnreadableFileError
from warehouse.sql import in_memory_duckdb, literal

REASONS = {
    "MISSING COLUMNS": "fewer columns than the header",
    "TOO MANY COLUMNS": "more columns than the header",
    "UNQUOTED VALUE": "text follows a closing quote",
    "INVALID ENCODING": "the text is in no known encoding",
    "LINE SIZE OVER MAXIMUM": "the line is longer than 2,000,000 bytes",
}


def read_rows(path: Path, shape: RowShape, *, parquet: Path) -> ParsedFile:
    """Write the rows of a file as texts; omit and report each bad line.

    Args:
        path: a `.csv` or `.csv.gz` file.
        shape: the columns to write.
        parquet: the file to write; a repaired copy of the delivered file may appear beside it.

    Raises:
        UnreadableFileError: the gzip is damaged, the lines end in bare CRs, or no line can be split.
    """
    attempt = None
    with ThreadPoolExecutor(1) as pool:
        scanning = pool.submit(scan, path, columns=len(shape.columns), copy_to=parquet.with_suffix(".csv"))
        # Few files need a repaired copy, so the file is parsed as it is while its records are counted.
        with suppress(duckdb.Error):  # `scan` reports what is wrong with the file
            attempt = _split(path, shape, parquet)
        scanned = scanning.result()
    if not scanned.records + len(scanned.rejected):
        raise UnreadableFileError("it has a header and no rows")
    if attempt and scanned.path == path:
        parsed = _checked(attempt, scanned, parquet)
    else:
        parsed = parse(scanned, shape, parquet=parquet)
    if not parsed.rows:
        first = parsed.rejected[0]
        raise UnreadableFileError(f"none of its lines can be split; line {first.line_number}: {first.reason}")
    return parsed


def parse(scanned: CsvScan, shape: RowShape, *, parquet: Path) -> ParsedFile:
    """Split a file's records into columns.

    Args:
        scanned: the file and its records, counted independently of the parser.
        shape: the columns to write.
        parquet: the file to write.

    Raises:
        UnreadableFileError: the parser's rows and rejects do not add up to the counted records, so that
            some would be lost.
    """
    return _checked(_split(scanned.path, shape, parquet), scanned, parquet)


@dataclass(frozen=True)
class _Split:
    """The number of rows that the parser found, and line, error type and text of each rejected line."""

    rows: int
    rejects: list[tuple[int, str, str | None]]


def _split(path: Path, shape: RowShape, parquet: Path) -> _Split:
    positions = range(len(shape.columns))
    names = ", ".join(f"'c{position}': 'VARCHAR'" for position in positions)
    with in_memory_duckdb(parquet.parent) as connection:
        connection.execute(
            f"""
            copy (
                select {shape.select([f"c{position}" for position in positions], "row_number() over ()")}
                from read_csv(
                    {literal(path)}, auto_detect = false, header = false, skip = 1,
                    delim = ',', quote = '"', escape = '"', columns = {{{names}}},
                    allow_quoted_nulls = false, store_rejects = true, rejects_limit = 0
                )
            ) to {literal(parquet)} ({PARQUET})
            """
        )
        # A line with two errors has two rows there.
        found = connection.execute(
            "select line, min(error_type), min(csv_line) from reject_errors group by line order by line"
        ).fetchall()
    return _Split(pq.read_metadata(parquet).num_rows, found)


def _checked(split: _Split, scanned: CsvScan, parquet: Path) -> ParsedFile:
    parsed = [
        RejectedLine(scanned.line_number(line), REASONS.get(kind, kind.lower()), (text or "").strip("\r\n"))
        for line, kind, text in split.rejects
    ]
    if split.rows + len(parsed) != scanned.records:
        raise UnreadableFileError(
            f"the file holds {scanned.records} records, but the parser found {split.rows} rows and "
            f"{len(parsed)} bad lines; look for stray quotes or line ends"
        )
    rejected = sorted([*scanned.rejected, *parsed], key=lambda line: line.line_number)
    return ParsedFile(parquet=parquet, rows=split.rows, rejected=rejected)
