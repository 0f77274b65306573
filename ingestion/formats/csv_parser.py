"""One CSV file, framed and checked, into one Parquet file of text columns, by DuckDB."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from ingestion.formats.csv_records import Framing, frame
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
    """Write the rows of a file as texts, each bad line left out and reported.

    Args:
        path: a `.csv` or `.csv.gz` file.
        shape: the columns to write.
        parquet: the file to write; a repaired copy of the file may come beside it.

    Raises:
        UnreadableFileError: the gzip is not whole, the line ends are bare CRs, or there is no row in it.
    """
    attempt = None
    with ThreadPoolExecutor(1) as pool:
        framed = pool.submit(frame, path, columns=len(shape.columns), copy_to=parquet.with_suffix(".csv"))
        # Few files need a repaired copy, so the file is parsed as it is while its records are counted.
        with suppress(duckdb.Error):  # of a file that is none, `frame` says what is wrong
            attempt = _split(path, shape, parquet)
        framing = framed.result()
    if not framing.records + len(framing.rejected):
        raise UnreadableFileError("it has a header and no rows")
    if attempt and framing.path == path:
        parsed = _checked(attempt, framing, parquet)
    else:
        parsed = parse(framing, shape, parquet=parquet)
    if not parsed.rows:
        first = parsed.rejected[0]
        raise UnreadableFileError(f"none of its lines can be split; line {first.line_number}: {first.reason}")
    return parsed


def parse(framing: Framing, shape: RowShape, *, parquet: Path) -> ParsedFile:
    """Split a file's records into columns.

    Args:
        framing: the file and its records as counted independently of the parser.
        shape: the columns to write.
        parquet: the file to write.

    Raises:
        UnreadableFileError: the parser's rows and rejects do not add up to the records counted
            before, so that some would be lost unseen.
    """
    return _checked(_split(framing.path, shape, parquet), framing, parquet)


@dataclass(frozen=True)
class _Split:
    """What the parser made of a file: the number of rows, and line, kind of fault and text of each other line."""

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
        # A line that is broken twice has two rows there.
        found = connection.execute(
            "select line, min(error_type), min(csv_line) from reject_errors group by line order by line"
        ).fetchall()
    return _Split(pq.read_metadata(parquet).num_rows, found)


def _checked(split: _Split, framing: Framing, parquet: Path) -> ParsedFile:
    parsed = [
        RejectedLine(framing.line_number(line), REASONS.get(kind, kind.lower()), (text or "").strip("\r\n"))
        for line, kind, text in split.rejects
    ]
    if split.rows + len(parsed) != framing.records:
        raise UnreadableFileError(
            f"the file holds {framing.records} records, but the parser found {split.rows} rows and "
            f"{len(parsed)} bad lines; look for stray quotes or line ends"
        )
    rejected = sorted([*framing.rejected, *parsed], key=lambda line: line.line_number)
    return ParsedFile(parquet=parquet, rows=split.rows, rejected=rejected)
