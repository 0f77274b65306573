"""The type of a column, from the texts that were delivered, and the SQL that reads them as dbt's macros do."""

from dataclasses import dataclass
from typing import Any

import duckdb

from scaffolding.model import Column
from scaffolding.names import described, is_identifier, is_personal, is_phone
from scaffolding.number_formats import find_number_format, plain_text
from warehouse.sql import literal, quoted

# A column has a type if at least this share of its values can be read so; the others are quarantined.
READABLE = 0.9
MAX_PLACES = 6
# Above it a sum of few values leaves the range of 32 bits.
MAX_INTEGER = 100_000_000
LAYOUTS = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y%m%d")
CLOCKS = ("", " %H:%M:%S", " %H:%M")
FLAGS = ({"true", "false"}, {"yes", "no"}, {"y", "n"}, {"t", "f"})

_INTEGER = r"regexp_full_match({0}, '[+-]?[0-9]+(\.0*)?')"
_ISO_TIME = """case when {0} >= '0' and {0} < ':' and (not regexp_matches({0}, ':.* [A-Za-z]') or {0} like '% UTC')
    then cast(try_cast({0} as timestamptz) as timestamp) end"""
_DECIMAL = "case when right({0}, 1) between '.' and '9' then try_cast({0} as {1}) end"
_FRACTION = r"length(rtrim(regexp_extract({0}, '^[+-]?[0-9]*\.([0-9]*)$', 1), '0'))"
# What normalize_code refuses: numbers that have lost digits, and those with commas.
_NO_CODE = r"^-?[0-9]([.,][0-9]+[eE][+-]?|[eE][+])[0-9]+$|^-?[0-9]+(,[0-9]+)+([.][0-9]*)?$"


def cleaned(name: str, null_words: list[str]) -> str:
    """Return SQL for a delivered text without blanks around it; null for a word for null."""
    text = f"nullif(trim(replace({quoted(name)}, chr(9), ' ')), '')"
    words = ", ".join(map(literal, null_words))
    return f"case when not list_contains([{words}], lower({text})) then {text} end"


def typed(column: Column) -> str:
    """Return SQL for the value of a cleaned text; null if its type cannot read it."""
    text = quoted(column.raw)
    if column.is_number:
        text = plain_text(column, text)
    match column.type:
        case "code":
            plain = rf"""regexp_replace(regexp_replace({text}, '^=?["'']|"$', '', 'g'), '^(-?[0-9]+)[.]0*$', '\1')"""
            return f"case when not regexp_matches({text}, '{_NO_CODE}') then {plain} end"
        case "integer" | "bigint":
            return f"case when {_INTEGER.format(text)} then try_cast({text} as {column.type}) end"
        case "decimal":
            return _DECIMAL.format(text, f"decimal(18, {column.places})")
        case "double":
            return f"try_cast({text} as double)"
        case "date" | "timestamp" if column.layouts:
            read = ", ".join(f"try_strptime({text}, '{layout}')" for layout in column.layouts)
            return f"cast(coalesce({read}) as {column.type})"
        case "date" | "timestamp":
            return f"cast({_ISO_TIME.format(text)} as {column.type})"
    return f"lower({text})" if column.is_flag else text


@dataclass
class _Facts:
    """Counts of the values of a column, and which of them each type can read."""

    present: int
    integers: int
    bigints: int
    leading_zeros: int
    largest: int
    decimals: int
    fitting: int
    exponents: int
    places: int
    times: int
    clocks: int
    nested: int
    few: list[str]


def _facts(connection: duckdb.DuckDBPyConnection, table: str, column: Column) -> _Facts:
    text = quoted(column.raw)
    if column.number_format:
        text, table = "plain", f"(select {plain_text(column, text)} as plain from {table})"
    integer, time = _INTEGER.format(text), _ISO_TIME.format(text)
    number = f"try_cast({integer} and try_cast({text} as bigint) is not null as boolean)"
    double = f"({_DECIMAL.format(text, 'double')})"
    counts = f"""
        select
            count({text}),
            count(*) filter ({integer}),
            count(*) filter ({number}),
            count(*) filter (regexp_full_match({text}, '0[0-9]+')),
            coalesce(max(abs(case when {integer} then try_cast({text} as bigint) end)), 0),
            count({double}) filter (isfinite({double})),
            count(*) filter (abs({double}) < 1e11),
            count(*) filter (regexp_matches({text}, '^[+-]?[0-9.]+[eE][+-]?[0-9]+$')),
            coalesce(max({_FRACTION.format(text)}), 0),
            count({time}),
            count(*) filter (cast({time} as time) <> time '00:00'),
            count(*) filter ({text} like '{{%' or {text} like '[%'),
            (select list(word) from (select distinct lower({text}) as word from {table} where {text} is not null limit 7))
        from {table}
    """
    return _Facts(*connection.execute(counts).fetchone())


def infer_type(connection: duckdb.DuckDBPyConnection, table: str, column: Column, entity: str) -> list[str]:
    """Find the type of a column; return what is doubtful about it.

    Args:
        connection: a database with the delivered rows.
        table: the table with the cleaned texts.
        column: the column; its type and counts are set.
        entity: the entity's name.
    """
    facts = _facts(connection, table, column)
    column.present, column.is_nested = facts.present, facts.nested > 0
    column.is_personal = is_personal(column.raw, entity)
    doubts = _choose(connection, table, column, facts)
    if column.type == "text" and facts.present and not is_phone(column.raw):
        doubts += find_number_format(connection, table, column, READABLE)
        if column.number_format:
            _choose(connection, table, column, _facts(connection, table, column))
        if not column.is_number:
            column.unit = column.marks = ""
    value = typed(column)
    distinct, readable, least, greatest = connection.execute(
        f"select count(distinct v), count(v), min(v)::varchar, max(v)::varchar from (select {value} as v from {table})"
    ).fetchone()
    column.distinct, column.unreadable = distinct, facts.present - readable
    if column.is_number or column.is_time:
        column.least, column.greatest = least or "", greatest or ""
    where = f"`{entity}.{column.raw}`"
    if column.unreadable:
        bad = _examples(connection, table, column)
        doubts.append(
            f"is {_words(column)}, but {column.unreadable:,} of {column.present:,} values cannot be read so"
            f" ({bad}), and go to quarantine"
        )
    return [f"{where} {doubt}" for doubt in doubts]


def _choose(connection: duckdb.DuckDBPyConnection, table: str, column: Column, facts: _Facts) -> list[str]:
    enough = facts.present * READABLE
    if not facts.present:
        return ["has no value: it is text"]
    if is_phone(column.raw):
        return []
    if is_identifier(column.raw) and not facts.times > enough:
        no_codes = connection.execute(
            f"select count(*) from {table} where regexp_matches({quoted(column.raw)}, '{_NO_CODE}')"
        ).fetchone()
        column.type = "code" if facts.present - no_codes[0] >= enough else "text"
        return []
    if facts.integers >= enough:
        return _choose_integer(connection, table, column, facts)
    if facts.decimals >= enough:
        exact = facts.places <= MAX_PLACES and not facts.exponents and facts.fitting == facts.decimals
        column.type = "decimal" if exact else "double"
        column.places = max(facts.places, 2) if exact else 0
        return []
    if facts.times >= enough:
        column.type = "timestamp" if facts.clocks else "date"
        return []
    if found := _layouts(connection, table, column, enough):
        return found[1]
    if len(facts.few) == 2 and {*facts.few} in FLAGS:
        column.type, column.is_flag = "word", True
    return []


def _choose_integer(
    connection: duckdb.DuckDBPyConnection, table: str, column: Column, facts: _Facts
) -> list[str]:
    if facts.leading_zeros:
        column.type = "code"
        return [f"has leading zeros in {facts.leading_zeros:,} rows: it is a code, and keeps them"]
    if {"date", "day"} & {*column.raw.split("_")} and _layouts(
        connection, table, column, facts.present * READABLE
    ):
        return []
    if facts.bigints < facts.integers:
        column.type = "code"
        return ["has numbers of more than 18 digits: it is a code"]
    column.type = "integer" if facts.largest <= MAX_INTEGER else "bigint"
    return []


def _layouts(
    connection: duckdb.DuckDBPyConnection, table: str, column: Column, enough: float
) -> tuple[str, list[str]] | None:
    """Set the type by the first layout that reads enough values; return it with what is doubtful."""
    text = quoted(column.raw)
    layouts = [f"{layout}{clock}" for layout in LAYOUTS for clock in CLOCKS]
    counts: tuple[Any, ...] = connection.execute(
        f"select {', '.join(f'count(try_strptime({text}, {literal(layout)}))' for layout in layouts)} from {table}"
    ).fetchone()
    most = max(counts)
    if most < enough:
        return None
    best = [layout for layout, count in zip(layouts, counts, strict=True) if count == most]
    column.layouts = (best[0],)
    column.type = "timestamp" if "%H" in best[0] else "date"
    if len(best) > 1:
        return best[0], [
            f"fits {' and '.join(best)}: it is read as {best[0]}; see `layouts` in the staging model"
        ]
    return best[0], []


def _examples(connection: duckdb.DuckDBPyConnection, table: str, column: Column) -> str:
    if column.is_personal:
        return "not shown"
    text = quoted(column.raw)
    found = connection.execute(
        f"select distinct {text} from {table} where {text} is not null and {typed(column)} is null order by 1 limit 3"
    ).fetchall()
    return ", ".join(repr(value[:40]) for (value,) in found)


def _words(column: Column) -> str:
    return {
        "code": "a code",
        "integer": "a whole number",
        "bigint": "a whole number",
        "decimal": f"a number with {column.places} decimal places",
        "double": "a number",
        "date": "a date",
        "timestamp": "a time",
    }[column.type]


def description(column: Column, thing: str) -> str:
    """Return a sentence about a column for the user to complete."""
    kind = (
        "true or false"
        if column.is_flag
        else {"text": "text", "word": "text"}.get(column.type) or _words(column)
    )
    name = described(column.raw)
    return f"{name[:1].upper()}{name[1:]} of the {described(thing)}, {kind}; to be completed."
