"""What happens to columns that a file has and its resource does not declare, in the words of dlt's `schema_contract`.

dlt itself holds a contract on the rows that it reads, and a load imports a finished Parquet file, with which dlt's
`discard_row` and `discard_value` fail; so the contract is held here, where the file is parsed.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from ingestion.files.file_resource import FileResource
from ingestion.files.header import Header
from ingestion.formats import ParsedFile, RejectedLine, UnreadableFileError
from ingestion.formats.csv_records import KEPT_CHARACTERS
from ingestion.formats.parsed_file import PARQUET
from settings.file_limits import FileLimits
from warehouse.sql import in_memory_duckdb, literal, quoted


def hold_contract(
    parsed: ParsedFile,
    header: Header,
    resource: FileResource,
    layout: Sequence[str],
    limits: FileLimits,
    parquet: Path,
) -> ParsedFile:
    """Return the rows of a file without columns that its resource does not declare, unless these may be added.

    Args:
        parsed: the rows of the resource.
        header: the header of the file.
        resource: the resource.
        layout: the columns of the raw table, some of which may be of an earlier contract.
        limits: how many of the rejected rows are kept.
        parquet: the file to write.

    Raises:
        UnreadableFileError: the contract is `freeze`, and the file has such columns.
    """
    contract = resource.schema_contract
    if contract == "evolve" or not header.extra:
        return parsed
    with in_memory_duckdb(parquet.parent) as connection:
        rows = connection.read_parquet(str(parsed.parquet))
        filled = f"({' or '.join(map(_has_value, header.extra))})"
        found = rows.filter(filled).count("*").fetchone()
        count = found[0] if found else 0
        if contract == "freeze":
            # An export of the quarantine has the columns of all entities, most of them without values.
            if count or not header.names_entities:
                raise UnreadableFileError(
                    f"it has columns that are not declared: {', '.join(header.extra)[:1000]}; declare them in `columns` or"
                    f" `optional` of {resource.entity}, or deliver it without them"
                )
            count = 0
        kept = rows.filter(f"not {filled}") if contract == "discard_row" else rows
        columns = [
            f"cast(null as varchar) as {quoted(name)}" if name in header.extra else quoted(name)
            for name in rows.columns
            if name in layout or name not in header.extra
        ]
        # Not by the relation, whose own way to write does not have these options.
        connection.execute(
            f"copy ({kept.project(', '.join(columns)).sql_query()}) to {literal(parquet)} ({PARQUET})"
        )
        most = max(limits.rejected_lines - len(parsed.rejected), 0)
        rejected = list(_rejected(rows.filter(filled), header, resource, count, most))
    return ParsedFile(parquet, pq.read_metadata(parquet).num_rows, [*parsed.rejected, *rejected])


def _rejected(
    rows: duckdb.DuckDBPyRelation, header: Header, resource: FileResource, count: int, most: int
) -> Iterator[RejectedLine]:
    """Yield what is kept of rows with values in undeclared columns: the row, or these values, as JSON."""
    whole_rows = resource.schema_contract == "discard_row"
    names = [name for name in header.names if name] if whole_rows else [*header.extra]
    listed = (
        rows.project(", ".join(map(quoted, ["_source_row", *names]))).order("_source_row").limit(most + 1)
    )
    for position, (number, *values) in enumerate(listed.fetchall()):
        filled = [
            name
            for name, value in zip(names, values, strict=True)
            if name in header.extra and (value or "").strip()
        ]
        reason = f"columns that are not declared have values: {', '.join(filled)}"
        if not whole_rows:
            reason += "; the row is loaded without them"
        line = RejectedLine(number, reason, "", 1 if whole_rows else 0, number)
        if position == most:
            further = (
                f"{count - most:,} further rows like this; SLUICE_MAX_REJECTED_LINES keeps the first {most:,}"
            )
            yield replace(line, reason=further, line_count=(count - most) * line.line_count)
            return
        text = json.dumps(dict(zip(names, values, strict=True)), ensure_ascii=False)
        if len(text) > KEPT_CHARACTERS:
            line = replace(line, reason=f"{reason}; its first {KEPT_CHARACTERS:,} characters are kept")
        yield replace(line, line=text[:KEPT_CHARACTERS])


def _has_value(column: str) -> str:
    return f"coalesce(trim({quoted(column)}, ' \t\r\n'), '') <> ''"
