"""What a part of a query gives: columns that are traced to columns of tables, and what decides the rows."""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

# Literals that say nothing of a definition: the start of the run, loads of dlt, and the hash of the rules.
STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}|\d{9,10}\.\d+|\b[0-9a-f]{32}\b")
# The beginning of a count of rows in a definition.
COUNT = "count(star("
LONG = 400

Ref = tuple[str, str]  # table and column


class QueryError(ValueError):
    """The lineage of a query cannot be told; the message says of what."""


@dataclass(frozen=True)
class Value:
    """A column of a relation.

    Attributes:
        refs: the columns of tables from which its value comes.
        text: its definition down to columns of tables; the names of CTEs and aliases are not in it.
        node: the expression that computes it; None for a column as it is in its table.
    """

    refs: frozenset[Ref] = frozenset()
    text: str = ""
    node: exp.Expr | None = None


@dataclass
class Relation:
    """What a table, a CTE or a subquery gives to the query that reads it.

    Attributes:
        columns: its columns in order.
        rows: the columns of tables that decide what rows it has.
        text: the definition of its rows.
        other: returns a column that is not among `columns`: a table may have more than are known, a function has one.
        is_own: it reads the table that the query builds.
    """

    columns: dict[str, Value] = field(default_factory=dict)
    rows: set[Ref] = field(default_factory=set)
    text: str = ""
    other: Callable[[str], Value] | None = None
    is_own: bool = False


def column_of(relation: Relation, name: str) -> Value:
    if name in relation.columns:
        return relation.columns[name]
    if relation.other:
        return relation.other(name)
    raise QueryError(f"the column {name} is not in the part of the query that it is read from")


def alias_columns(node: exp.Expr) -> list[str]:
    alias = node.args.get("alias")
    return (
        [column.name for column in alias.args.get("columns") or ()]
        if isinstance(alias, exp.TableAlias)
        else []
    )


def renamed(relation: Relation, names: Sequence[str]) -> Relation:
    if not names:
        return relation
    columns = dict(zip(names, relation.columns.values(), strict=False))
    return Relation(columns, relation.rows, relation.text, None, relation.is_own)


def short(text: str) -> str:
    """Return a definition, or a hash in its place if it is long: definitions are parts of definitions."""
    if len(text) <= LONG:
        return text
    return f"{COUNT if COUNT in text else ''}#{digest(text)}"


def digest(text: str) -> str:
    """Return a short hash of a definition."""
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def describe(value: Value, dialect: str, length: int = 300) -> str:
    """Return the expression that computes a column, for people; empty if it is a column as it is."""
    if value.node is None:
        return ""
    text = STAMP.sub("…", " ".join(value.node.sql(dialect=dialect, copy=False).split()))
    return text if len(text) <= length else f"{text[: length - 1]}…"
