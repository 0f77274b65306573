r"""Rows in the text format of PostgreSQL's COPY.

Not as CSV: versions before 17 stop reading at a line `\.` even within quotes, and dlt loads an empty text as null.
"""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from warehouse.interface import Column
from warehouse.sql import in_memory_duckdb, literal, quoted

NULL = r"\N"
# The special characters of the format and their escapes.
ESCAPES = {"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"}


def write_copy_text(parquet: Path) -> Path:
    """Write a Parquet file's rows into a text file beside it: names in the first line, then one line per row.

    Args:
        parquet: a file of texts without NUL characters, and of numbers.
    """
    text = parquet.with_suffix(".tsv")
    columns = pq.read_schema(parquet)
    line = " || chr(9) || ".join(_value(column.name, str(column.type)) for column in columns)
    header = "\t".join(columns.names)
    with in_memory_duckdb(parquet.parent) as database:
        # As CSV with a single column and no quotes, which DuckDB writes unchanged.
        database.execute(
            f"""
            copy (select {line} as {quoted(header)} from read_parquet({literal(parquet)}))
            to {literal(text)} (format csv, header true, quote '', escape '', delimiter '{chr(1)}')
            """
        )
    return text


def read_copied_csv(
    into: duckdb.DuckDBPyConnection, csv: Path, columns: Sequence[Column], relation: str
) -> None:
    """Create a table from CSV that COPY wrote, in which every value but null is quoted.

    Args:
        into: the DuckDB database.
        csv: the file.
        columns: the columns with PostgreSQL's names of their types.
        relation: the table to create.
    """
    types = ", ".join(f"{literal(column.name)}: {literal(_type(column.kind))}" for column in columns)
    into.execute(
        f"""
        create table {relation} as from read_csv(
            {literal(csv)}, auto_detect = false, header = false, delim = ',', quote = '"', escape = '"',
            columns = {{{types}}}, allow_quoted_nulls = false
        )
        """
    )


def _type(kind: str) -> str:
    """Return DuckDB's name of a type."""
    if kind == "numeric":
        return "DECIMAL(38,10)"
    names = {"timestamp without time zone": "TIMESTAMP", "timestamp with time zone": "TIMESTAMPTZ"}
    names |= {"double precision": "DOUBLE", "character varying": "VARCHAR"}
    return names.get(kind, kind.upper())


def _value(name: str, kind: str) -> str:
    sql = quoted(name)
    if "string" in kind:
        for character, written in ESCAPES.items():
            sql = f"replace({sql}, {_code(character)}, {literal(written)})"
    return f"coalesce(cast({sql} as varchar), {literal(NULL)})"


def _code(character: str) -> str:
    return f"chr({ord(character)})"
