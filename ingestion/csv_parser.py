"""One CSV file, framed and checked, into one Parquet file of text columns, by DuckDB."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingestion.csv_framing import Framing, RejectedLine, UnreadableFileError

# Measured with 10,000,000 orders of seven columns: with these, parsing holds 190 MB whatever the
# file's size. A second thread makes that 600 MB and takes twice the processor time without being
# done sooner, as lines are read and numbered one after the other anyhow.
LIMITS = {"memory_limit": "512MB", "threads": 1}
# Few values of a raw file occur more often than this many others, and looking them up takes longer
# than writing them: measured, a third of the time goes and the file is no larger.
PARQUET = "format parquet, parquet_version v2, dictionary_size_limit 1000"
REASONS = {
    "MISSING COLUMNS": "fewer columns than the header",
    "TOO MANY COLUMNS": "more columns than the header",
    "UNQUOTED VALUE": "text follows a closing quote",
    "INVALID ENCODING": "the text is in no known encoding",
    "LINE SIZE OVER MAXIMUM": "the line is longer than 2,000,000 bytes",
}


@dataclass(frozen=True)
class ParsedFile:
    """A file as Parquet, and the lines that are not in it.

    Attributes:
        parquet: the rows.
        rows: how many there are.
        rejected: the lines that are no rows.
    """

    parquet: Path
    rows: int
    rejected: list[RejectedLine]


def parse(
    framing: Framing,
    columns: Sequence[str | None],
    *,
    parquet: Path,
    constants: dict[str, str],
    row_id_prefix: str,
    layout: Sequence[str] = (),
) -> ParsedFile:
    """Split a file's records into columns.

    Args:
        framing: the file and its records as counted independently of the parser.
        columns: a name for each column of the file, in the file's order; None for one to leave out.
            Values of a column whose name begins with an underscore are trimmed, and null if empty.
        parquet: the file to write: `columns` as text, `constants`, `_source_row` (1-based position
            among the loaded records) and `_row_id`.
        constants: columns with one text value for the whole file.
        row_id_prefix: `_row_id` is this, a dash and `_source_row`.
        layout: columns that come first, in this order; those that the file has not are null.

    Raises:
        UnreadableFileError: the parser's rows and rejects do not add up to the records counted
            before, so that some would be lost unseen.
    """
    values = {name: _value(f"c{position}", name) for position, name in enumerate(columns) if name}
    values |= {name: f"'{_text(value)}'" for name, value in constants.items()}
    values |= {
        "_source_row": "row_number() over ()",
        "_row_id": f"'{_text(row_id_prefix)}-' || row_number() over ()",
    }
    selected = {name: values.get(name, "cast(null as varchar)") for name in [*layout, *values]}
    select = ", ".join(f'{value} as "{name}"' for name, value in selected.items())
    quote = '"' if framing.quoted else ""
    names = ", ".join(f"'c{position}': 'VARCHAR'" for position in range(len(columns)))
    with connect(parquet.parent) as connection:
        connection.execute(
            f"""
            copy (
                select {select}
                from read_csv(
                    '{_text(str(framing.path))}', auto_detect = false, header = false, skip = 1,
                    delim = ',', quote = '{quote}', escape = '{quote}', columns = {{{names}}},
                    allow_quoted_nulls = false, store_rejects = true, rejects_limit = 0
                )
            ) to '{_text(str(parquet))}' ({PARQUET})
            """
        )
        rows = connection.execute("select count(*) from read_parquet(?)", [str(parquet)]).fetchone()[0]
        # A line that is broken twice has two rows there.
        found = connection.execute(
            "select line, min(error_type), min(csv_line) from reject_errors group by line order by line"
        ).fetchall()
    parsed = [
        RejectedLine(framing.line_number(line), REASONS.get(kind, kind.lower()), (text or "").strip("\r\n"))
        for line, kind, text in found
    ]
    if rows + len(parsed) != framing.records:
        raise UnreadableFileError(
            f"the file holds {framing.records} records, but the parser found {rows} rows and "
            f"{len(parsed)} bad lines; look for stray quotes or line ends"
        )
    rejected = sorted([*framing.rejected, *parsed], key=lambda line: line.line_number)
    return ParsedFile(parquet=parquet, rows=rows, rejected=rejected)


def connect(spill: Path) -> duckdb.DuckDBPyConnection:
    """A database in memory, of bounded size, for work on files; `spill` is a folder for what exceeds it."""
    return duckdb.connect(config=LIMITS | {"temp_directory": str(spill / "spill")})


def _value(column: str, name: str) -> str:
    return f"nullif(trim({column}, ' \t\r\n'), '')" if name.startswith("_") else column


def _text(value: str) -> str:
    """A value for use between single quotes in SQL."""
    return value.replace("'", "''")
