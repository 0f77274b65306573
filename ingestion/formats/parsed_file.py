"""What a parser produces from a delivered file: one Parquet file of text columns, and the rejected lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from settings.file_limits import FileLimits
from warehouse.sql import literal, quoted

# Raw values repeat too little for large dictionaries: with this limit writing takes a third less time
# (measured), and the file is no larger.
PARQUET = "format parquet, parquet_version v2, dictionary_size_limit 1000"


class UnreadableFileError(ValueError):
    """The file as a whole cannot be loaded; the message tells its sender why."""


def check_number_of_columns(names: Sequence[str], limits: FileLimits) -> None:
    """Check that a file does not have too many columns.

    Raises:
        UnreadableFileError: it has.
    """
    if len(names) > limits.columns:
        raise UnreadableFileError(
            f"it has {len(names):,} columns; SLUICE_MAX_COLUMNS allows {limits.columns:,}"
        )


@dataclass(frozen=True)
class RejectedLine:
    """A line, or lines of one record, that could not be split into columns; or what a row has in undeclared columns.

    Attributes:
        line_number: its number in the file, from 1; of a row its position among the rows.
        reason: why it was rejected.
        line: its text as delivered; of a row a JSON object.
        line_count: how many records it stands for; more than one if they were too many to be kept, 0 for values of a row
            that is loaded without them.
        row: the `_source_row` of a row; None for a line.
    """

    line_number: int
    reason: str
    line: str
    line_count: int = 1
    row: int | None = None

    def id(self, prefix: str) -> str:
        """Return the id by which a correction names it: of a row its `_row_id`."""
        return f"{prefix}-{self.row or f'L{self.line_number}'}"


@dataclass(frozen=True)
class ParsedFile:
    """A parsed file.

    Attributes:
        parquet: the rows.
        rows: their number.
        rejected: the lines that could not be split, and what is not declared.
    """

    parquet: Path
    rows: int
    rejected: list[RejectedLine]

    @property
    def rows_rejected(self) -> int:
        """The number of records that are not among the rows."""
        return sum(line.line_count for line in self.rejected)


@dataclass(frozen=True)
class RowShape:
    """The columns of a parsed file: those of the delivered file, and those that the platform adds.

    Attributes:
        columns: a name for each column of the file, in the file's order; None omits the column. Values
            of a column whose name begins with an underscore are trimmed, and null if empty.
        constants: columns with one text value for the whole file.
        row_id_prefix: `_row_id` is this, a dash and `_source_row`, the 1-based position among the
            loaded records.
        layout: the columns that come first, in this order; null if the file does not have them.
    """

    columns: Sequence[str | None]
    constants: Mapping[str, str]
    row_id_prefix: str
    layout: Sequence[str] = ()

    def select(self, delivered: Sequence[str], row_number: str) -> str:
        """Return the select list.

        Args:
            delivered: SQL for the text of each column of the file, in the file's order.
            row_number: SQL for the position of a record.
        """
        named = {name: sql for name, sql in zip(self.columns, delivered, strict=True) if name}
        values = {name: _trimmed(sql) if name.startswith("_") else sql for name, sql in named.items()}
        values |= {name: literal(value) for name, value in self.constants.items()}
        values |= {
            "_source_row": row_number,
            "_row_id": f"{literal(self.row_id_prefix + '-')} || {row_number}",
        }
        selected = {name: values.get(name, "cast(null as varchar)") for name in [*self.layout, *values]}
        return ", ".join(f"{sql} as {quoted(name)}" for name, sql in selected.items())


def _trimmed(sql: str) -> str:
    return f"nullif(trim({sql}, ' \t\r\n'), '')"
