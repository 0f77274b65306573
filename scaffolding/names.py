"""Names: of entities and patterns for names of files, and what the name of a column says about it."""

import glob
import importlib.util
import keyword
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import duckdb

from ingestion.column_names import raw_column_name
from ingestion.file_format import form_of_name
from ingestion.files.file_resource import is_corrections
from scaffolding.errors import ScaffoldingError
from settings import PLATFORM
from transformation.manifest import SHARED

DOMAIN = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
# dbt's names of models end in it, and have no digits there (tests/dbt_project/test_project_rules.py).
ENTITY = re.compile(r"[a-z]+(_[a-z]+)*")
# Tables that every raw schema has.
RAW_TABLES = ("file_loads", "rejected_lines")
# A published file is a catalog of DuckDB with the name of the domain; raw_ops has the metrics of runs.
RESERVED_DOMAINS = (
    *PLATFORM,
    SHARED,
    "ops",
    "main",
    "temp",
    "system",
    "information_schema",
    "all",
    "default",
)
# Names that the models give to columns of their own, or that the macros of the rules use.
OWN_COLUMNS = (
    "row_status",
    "is_replaced",
    "is_corrected",
    "is_outdated",
    "is_in_conflict",
    "version_rank",
    "date_key",
)
# Words that name a type or a function in one of the engines.
TYPE_WORDS = (
    "date",
    "datetime",
    "interval",
    "user",
    "current_date",
    "current_time",
    "current_timestamp",
    "minus",
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


IDENTIFIERS = _words(
    "id uid key code no nr num number sku isbn ean upc gtin uuid guid zip zipcode postcode plz iban vin"
)
POSITIONS = _words("line row pos position seq sequence item index")
PHONES = _words("phone telephone tel mobile fax")
PERSONAL = PHONES | _words("email mail surname firstname lastname fullname address birthday dob ssn iban")
PERSONAL_PAIRS = (
    "first_name",
    "last_name",
    "full_name",
    "middle_name",
    "maiden_name",
    "birth_date",
    "date_of_birth",
)
PERSONS = _words(
    "customer client user person employee patient member contact student guest driver owner author"
)
NOT_ADDITIVE = _words(
    "price rate age year month week day lat latitude lon lng longitude percent pct ratio score rating rank level grade stars temperature temp humidity pressure speed"
)
CHANGES = re.compile(r"(updated|modified|changed|last_(update|change|modified))(_(at|on|date|time))?")


def check_domain_name(name: str) -> None:
    """Check that a domain may have this name.

    Raises:
        ScaffoldingError: it may not.
    """
    if not DOMAIN.fullmatch(name):
        raise ScaffoldingError(
            f"{name!r} is no name of a domain: use lower case letters, digits and single underscores, such as web_shop"
        )
    if name in RESERVED_DOMAINS or keyword.iskeyword(name) or name in sql_words():
        raise ScaffoldingError(f"{name!r} is reserved; choose another name")
    # A DAG's file is a module: it would hide another one of its name.
    if (found := importlib.util.find_spec(name)) and "dags" not in Path(found.origin or "dags").parts:
        raise ScaffoldingError(f"{name!r} is the name of a Python module; choose another name")


def check_entity_name(name: str, file: Path) -> None:
    """Check that an entity may have this name.

    Raises:
        ScaffoldingError: it may not.
    """
    advice = f"name it: --entity NAME={file}"
    if not ENTITY.fullmatch(name):
        raise ScaffoldingError(
            f"{name!r} is no name of an entity: use lower case letters and single underscores; {advice}"
        )
    if name in RAW_TABLES or is_corrections(name) or keyword.iskeyword(name) or name in sql_words():
        raise ScaffoldingError(f"{name!r} is reserved; {advice}")


# What a file's name has beside the entity: numbers and dates, and after a separator a word on the file itself.
_NOISE = re.compile(
    r"[\W_]*[0-9][\W_0-9]*|[\W_]+(?:sample|export|extract|dump|final|copy|latest)s?(?![^\W_])[\W_]*",
    re.IGNORECASE,
)


def stem_of(path: Path) -> str:
    """Return a file's name without its suffix."""
    return path.name[: -len(form_of_name(path.name) or "") or None]


def entity_of(path: Path) -> str:
    """Return the name of a file without suffix, numbers and dates, as an identifier; empty if nothing is left."""
    words = re.sub(r"[^\w]+|_+", "_", "_".join(_NOISE.split(stem_of(path)))).strip("_")
    return re.sub(r"[^a-z]+", "_", raw_column_name(words)).strip("_") if words else ""


def pattern_of(path: Path) -> str:
    """Return a pattern for the names of files that differ from this one in numbers, dates and words like sample."""
    parts = [glob.escape(part) for part in _NOISE.split(stem_of(path))]
    return "*".join(part for position, part in enumerate([*parts, ""]) if part or position in (0, len(parts)))


def singular(entity: str) -> str:
    """Return the singular of an English plural, as far as its ending tells it."""
    for ending, replacement in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh")):
        if entity.endswith(ending):
            return entity.removesuffix(ending) + replacement
    return entity[:-1] if entity.endswith("s") and not entity.endswith(("ss", "us", "is")) else entity


@cache
def sql_words() -> frozenset[str]:
    """Return the words that are no plain names of columns."""
    with duckdb.connect() as connection:
        found = connection.execute(
            "select keyword_name from duckdb_keywords() where keyword_category <> 'unreserved'"
        )
        return frozenset({*TYPE_WORDS, *(word for (word,) in found.fetchall())})


def model_names(written: Mapping[str, str], entity: str) -> dict[str, str]:
    """Return the name in the models for each raw column: its own, a simpler one, or one with the entity's before it.

    Args:
        written: the name in the header, by raw column.
        entity: the entity.
    """
    taken = {*written}
    names = {}
    for raw, header in written.items():
        name = raw
        # dlt writes an x for a sign at the end: `Fee (EUR)` is fee_eurx.
        simple = raw_column_name(without_end) if (without_end := re.sub(r"[\W_]+$", "", header)) else raw
        if simple not in taken and raw.startswith(simple):
            name = simple
            taken.add(name)
        delivered = name.removesuffix("_delivered")
        clashes = name in sql_words() or name in OWN_COLUMNS or (delivered != name and delivered in taken)
        names[raw] = name
        if clashes:
            names[raw] = f"{singular(entity)}_{name.replace('_delivered', '_as_delivered')}"
            while names[raw] in taken:
                names[raw] += "_value"
            taken.add(names[raw])
    return names


def is_identifier(name: str) -> bool:
    """Whether a column's name says that its numbers are no quantities."""
    return name.split("_")[-1] in IDENTIFIERS


def is_position(name: str) -> bool:
    """Whether a column's name says that it counts the parts of a thing."""
    return bool(POSITIONS & {*name.split("_")})


def is_phone(name: str) -> bool:
    return bool(PHONES & {*name.split("_")})


def is_personal(name: str, entity: str) -> bool:
    """Whether a column's name says that it tells about a person."""
    words = {*name.split("_")}
    things = words | {singular(word) for word in entity.split("_")}
    is_name = words & {"name", "names", "street"} and bool(PERSONS & things)
    return bool(PERSONAL & words) or any(pair in name for pair in PERSONAL_PAIRS) or bool(is_name)


def is_additive(name: str) -> bool:
    """Whether a sum of the numbers of a column says anything, by the column's name."""
    return not NOT_ADDITIVE & {*name.split("_")}


def says_change(name: str) -> bool:
    """Whether a column's name says that it has the time of the last change."""
    return bool(CHANGES.fullmatch(name))


def described(name: str) -> str:
    """Return a name as words."""
    return name.replace("_", " ")


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless it is 1."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def go(number: int) -> str:
    """Return what so many rows do, after a colon."""
    return "it goes" if number == 1 else "they go"
