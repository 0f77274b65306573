"""Convert a delivered Parquet file into one of text columns with DuckDB.

Files of one resource differ in their types (a number is an integer in one month and a double in the next), and
CSV files have none. As text all of them fit one raw table, and only the staging models cast.
"""

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ingestion.characters import NO_CHARACTER
from ingestion.formats.parsed_file import (
    PARQUET,
    ParsedFile,
    RowShape,
    UnreadableFileError,
    check_number_of_columns,
)
from settings.file_limits import FileLimits
from warehouse.sql import in_memory_duckdb, literal, quoted


def read_column_names(path: Path, limits: FileLimits) -> list[str]:
    """Return the names of a file's columns, as written.

    Raises:
        UnreadableFileError: the file is not a Parquet file, its end is missing, or it has too many columns.
    """
    try:
        names = pq.read_schema(path).names
    except pa.ArrowException as error:
        raise UnreadableFileError(
            f"it is not a complete Parquet file: {str(error).splitlines()[0]}"
        ) from error
    check_number_of_columns(names, limits)
    return names


def read_rows(path: Path, shape: RowShape, *, parquet: Path) -> ParsedFile:
    """Write the values of a file as texts that cast back to the same values.

    Args:
        path: the delivered file.
        shape: the columns to write.
        parquet: the file to write.

    Raises:
        UnreadableFileError: the file is damaged, or has fewer rows than its footer says.
    """
    expected = pq.read_metadata(path).num_rows
    columns = [_text(field) for field in pq.read_schema(path)]
    try:
        with in_memory_duckdb(parquet.parent) as connection:
            connection.execute(
                f"""
                copy (
                    select {shape.select(columns, "(file_row_number + 1)")}
                    from read_parquet({literal(path)}, file_row_number = true)
                ) to {literal(parquet)} ({PARQUET})
                """
            )
    except duckdb.Error as error:
        raise UnreadableFileError(
            f"it is not a complete Parquet file: {str(error).splitlines()[0]}"
        ) from error
    rows = pq.read_metadata(parquet).num_rows
    if rows != expected:
        raise UnreadableFileError(f"its footer says {expected} rows, but {rows} could be read")
    return ParsedFile(parquet=parquet, rows=rows, rejected=[])


def _text(field: pa.Field) -> str:
    """Return SQL for a column's values as texts."""
    if pa.types.is_timestamp(field.type) and field.type.tz not in (None, "UTC"):
        return _zoned_text(quoted(field.name), field.type.tz)
    text = f"cast({quoted(field.name)} as varchar)"
    return text if pa.types.is_primitive(field.type) else f"replace({text}, chr(0), {literal(NO_CHARACTER)})"


def _zoned_text(column: str, zone: str) -> str:
    """Return SQL for times as a clock in their zone showed them, with the offset; DuckDB would write them in UTC."""
    utc = f"timezone('UTC', {column})"
    # Arrow names a zone or an offset such as +05:30, which DuckDB does not know as a zone.
    if zone[:1] in "+-":
        return f"cast({utc} + to_minutes({_minutes(zone)}) as varchar) || {literal(zone)}"
    local = f"timezone({literal(zone)}, {column})"
    minutes = f"date_diff('minute', {utc}, {local})"
    offset = f"if({minutes} < 0, '-', '+'), abs({minutes}) // 60, abs({minutes}) % 60"
    return f"cast({local} as varchar) || printf('%s%02d:%02d', {offset})"


def _minutes(offset: str) -> int:
    sign = -1 if offset[0] == "-" else 1
    return sign * (int(offset[1:3]) * 60 + int(offset[4:6]))
