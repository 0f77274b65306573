"""How the numbers of a column are written: with a currency or percent sign, with a decimal comma, with marks of groups."""

import duckdb

from scaffolding.model import Column
from warehouse.sql import literal, quoted

UNITS = ("€", "$", "£", "%", "EUR", "USD", "GBP", "CHF")
# Decimal mark and group mark.
MARKS = (",.", ".,")


def plain_text(column: Column, text: str) -> str:
    """Return SQL for the text of a plain number, as dbt's macro `plain_number` makes it.

    Args:
        column: a column with a number format, or without one.
        text: SQL for the delivered text, without blanks around it.
    """
    if column.unit:
        text = f"trim(replace(replace({text}, {literal(column.unit + ' ')}, ''), {literal(column.unit)}, ''))"
    if not column.marks:
        return text
    decimal, group = column.marks[0], column.marks[1]
    plain = f"replace(replace({text}, '{group}', ''), '{decimal}', '.')"
    return f"case when {_fits(text, column.marks)} then {plain} end"


def find_number_format(
    connection: duckdb.DuckDBPyConnection, table: str, column: Column, share: float
) -> list[str]:
    """Find how the numbers of a column are written, and set it; return what is doubtful about it.

    Args:
        connection: a database with the delivered rows.
        table: the table with the cleaned texts.
        column: the column, of which at least one value is there.
        share: of how many values a format must be that of the column, from 0 to 1.
    """
    text = quoted(column.raw)
    units = ", ".join(
        f"count(*) filter (starts_with({text}, {literal(unit)}) or ends_with({text}, {literal(unit)}))"
        for unit in UNITS
    )
    present, *counts = connection.execute(f"select count({text}), {units} from {table}").fetchone()
    enough = present * share
    column.unit = next((unit for unit, count in zip(UNITS, counts, strict=True) if count >= enough), "")
    rest = plain_text(column, text)
    comma, point = (_fits(rest, marks) for marks in MARKS)
    numbers, commas, points, only_comma, only_point = connection.execute(
        f"select count(*) filter (regexp_full_match({rest}, '[+-]?[0-9]*([.][0-9]+)?') and {rest} <> ''),"
        f" count(*) filter ({comma}), count(*) filter ({point}),"
        f" count(*) filter ({comma} and not {point}), count(*) filter ({point} and not {comma}) from {table}"
    ).fetchone()
    if numbers >= enough:
        return [f"has the unit {column.unit}, which is left out"] if column.unit else []
    if commas >= enough and only_comma and not only_point:
        column.marks = ",."
        return ["has numbers with a decimal comma, such as 1.234,50"]
    if points >= enough and only_point and not only_comma:
        column.marks = ".,"
        return ["has numbers with commas between groups of digits, such as 1,234.50"]
    column.unit = ""
    if max(commas, points) >= enough:
        return [
            "has numbers like 1,500, which may be one and a half or fifteen hundred: it is text; see `decimal_mark` and"
            " `group_mark` in the staging model"
        ]
    return []


def _fits(text: str, marks: str) -> str:
    decimal, group = marks[0], marks[1]
    form = f"[+-]?([0-9]+|[0-9]{{1,3}}([{group}][0-9]{{3}})+)([{decimal}][0-9]+)?"
    return f"regexp_full_match({text}, '{form}')"
