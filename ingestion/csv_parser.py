"""One CSV file, framed and checked, into one Parquet file of text columns, by DuckDB."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingestion.csv_framing import Framing, RejectedLine, UnreadableFileError

REASONS = {
    "MISSING COLUMNS": "fewer columns than the header",
    "TOO MANY COLUMNS": "more columns than the header",
    "UNQUOTED VALUE": "text follows a closing quote",
    "INVALID ENCODING": "the text is in no known encoding",
    "LINE SIZE OVER MAXIMUM": "the line is longer than 2,000,000 bytes",
}


@dataclass(frozen=True)
class ParsedFile:
    """A file as Parquet, and the lines that are not in it."""

    parquet: Path
    rows: int
    rejected: list[RejectedLine]


def parse(
    framing: Framing,
    columns: list[str],
    *,
    parquet: Path,
    constants: dict[str, str],
    row_id_prefix: str,
    layout: Sequence[str] = (),
) -> ParsedFile:
    """Split a file's records into columns.

    Args:
        framing: the file and its records as counted independently of the parser.
        columns: a name for each column of the file, in the file's order.
        parquet: the file to write: `columns` as text, `constants`, `_source_row` (1-based position
            among the loaded records) and `_row_id`.
        constants: columns with one text value for the whole file.
        row_id_prefix: `_row_id` is this, a dash and `_source_row`.
        layout: columns that come first, in this order; those that the file has not are null.

    Raises:
        UnreadableFileError: the parser's rows and rejects do not add up to the records counted
            before, so that some would be lost unseen.
    """
    values = {name: name for name in columns}
    values |= {name: f"'{_text(value)}'" for name, value in constants.items()}
    values |= {
        "_source_row": "row_number() over ()",
        "_row_id": f"'{_text(row_id_prefix)}-' || row_number() over ()",
    }
    selected = {name: values.get(name, "cast(null as varchar)") for name in [*layout, *values]}
    select = ", ".join(f"{value} as {name}" for name, value in selected.items())
    quote = '"' if framing.quoted else ""
    names = ", ".join(f"'{name}': 'VARCHAR'" for name in columns)
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            copy (
                select {select}
                from read_csv(
                    '{_text(str(framing.path))}', auto_detect = false, header = false, skip = 1,
                    delim = ',', quote = '{quote}', escape = '{quote}', columns = {{{names}}},
                    allow_quoted_nulls = false, store_rejects = true, rejects_limit = 0
                )
            ) to '{_text(str(parquet))}' (format parquet)
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


def _text(value: str) -> str:
    """A value for use between single quotes in SQL."""
    return value.replace("'", "''")
