"""Parse a CSV file into a Parquet file of text columns with DuckDB, which must find the records of a scan."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from ingestion.formats.csv_lines import is_gzip, open_plain
from ingestion.formats.csv_records import find_header, scan
from ingestion.formats.parsed_file import PARQUET, ParsedFile, RowShape, UnreadableFileError
from ingestion.formats.text_as_csv import Restored
from settings.file_limits import FileLimits
from warehouse.sql import in_memory_duckdb, literal


def read_rows(
    path: Path, shape: RowShape, limits: FileLimits, *, parquet: Path, restored: Restored | None = None
) -> ParsedFile:
    """Write the rows of a file as texts; omit and report each bad line.

    Args:
        path: a `.csv` or `.csv.gz` file.
        shape: the columns to write.
        limits: what the file may hold.
        parquet: the file to write; a copy of the delivered file may appear beside it.
        restored: how texts become those of the delivered file.

    Raises:
        UnreadableFileError: the gzip is damaged, the lines end in bare CRs, no line can be split, or a limit is exceeded.
        duckdb.Error: DuckDB could not write the rows.
    """
    columns = len(shape.columns)
    restored = restored or Restored()
    copy = parquet.with_suffix(".records.csv")
    with open_plain(path) as file:
        _, skip = find_header(file, limits)
    with in_memory_duckdb(parquet.parent) as connection, ThreadPoolExecutor(1) as pool:
        scanning = pool.submit(
            scan, path, columns, limits, copy_to=copy, on_copy=lambda: connection.interrupt()
        )
        # Few files need a copy, so the file is parsed as it is while its records are counted.
        rows = None
        with suppress(duckdb.Error):  # the scan says which line is broken
            rows = _parse(connection, path, skip, shape, restored, limits, parquet)
        found = scanning.result()
        if found.path == path and rows != found.records:
            found = scan(path, columns, limits, copy_to=copy, always_copy=True)
        if found.path != path:
            rows = _parse(connection, found.path, 0, shape, restored, limits, parquet)
    if rows != found.records:
        raise UnreadableFileError(
            f"it holds {found.records:,} records, but DuckDB finds {rows:,} of them; please report it"
        )
    if not rows and found.rejected:
        first = found.rejected[0]
        raise UnreadableFileError(f"none of its lines can be split; line {first.line_number}: {first.reason}")
    return ParsedFile(parquet, rows, found.rejected)


def _parse(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    skip: int,
    shape: RowShape,
    restored: Restored,
    limits: FileLimits,
    parquet: Path,
) -> int:
    """Write the records of a file and return their number."""
    positions = range(len(shape.columns))
    names = ", ".join(f"'c{position}': 'VARCHAR'" for position in positions)
    connection.execute(
        f"""
        copy (
            select {shape.select([restored.sql(f"c{position}") for position in positions], "row_number() over ()")}
            from read_csv(
                {literal(path)}, auto_detect = false, header = false, skip = {skip},
                compression = '{"gzip" if is_gzip(path) else "none"}', delim = ',', quote = '"', escape = '"',
                columns = {{{names}}}, allow_quoted_nulls = false, max_line_size = {2 * limits.line_bytes}
            )
        ) to {literal(parquet)} ({PARQUET})
        """
    )
    return pq.read_metadata(parquet).num_rows
