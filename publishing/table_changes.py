"""How the marts of one database differ from those of another one, row by row."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import duckdb

from publishing.comparison import as_table
from publishing.marts import SCHEMA, Mart
from publishing.table_stats import STAMPS
from warehouse import quoted

EXAMPLES = 5


@dataclass(frozen=True)
class Changed:
    """Rows that differ in a column, or of which only one side has the key.

    Attributes:
        what: the column; `rows that are gone` or `new rows`.
        rows: how many.
        examples: key, and the value on both sides; as texts.
    """

    what: str
    rows: int
    examples: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class TableChange:
    """How a mart of one database differs from that of another.

    Attributes:
        table: which mart.
        rows: of both; None where the table is not there.
        columns: those that are gone, new or of another type, a sentence each.
        key: columns by which rows are compared; none if no test says what tells the rows apart.
        changed: what differs.
        sides: what both are called.
    """

    table: str
    rows: tuple[int | None, int | None]
    columns: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    changed: tuple[Changed, ...] = ()
    sides: tuple[str, str] = ("published", "with the change")

    @property
    def differs(self) -> bool:
        """Whether anything differs at all."""
        return bool(self.columns or self.changed) or self.rows[0] != self.rows[1]

    def markdown(self) -> str:
        """All of it for people."""
        shown = ["none" if count is None else f"{count:,}" for count in self.rows]
        lines = [f"### {self.table}", "", f"Rows: {shown[0]} {self.sides[0]}, {shown[1]} {self.sides[1]}."]
        lines += [f"- {sentence}" for sentence in self.columns]
        if self.changed:
            by = f" by {', '.join(self.key)}" if self.key else ", which no key tells apart"
            lines += ["", f"Rows that differ{by}:", ""]
            lines += [
                as_table(["what", "rows"], [[each.what, f"{each.rows:,}"] for each in self.changed]),
                "",
            ]
            examples = [[each.what, *example] for each in self.changed for example in each.examples]
            lines += [as_table(["what", "row", *self.sides], examples)]
        return "\n".join(lines)


def count(connection: duckdb.DuckDBPyConnection, database: str | None, table: str) -> int | None:
    """Rows of a mart; None if it is not there."""
    if not _columns(connection, database, table):
        return None
    return connection.execute(f"select count(*) from {_relation(database, table)}").fetchone()[0]


def _relation(database: str | None, table: str) -> str:
    return ".".join(map(quoted, filter(None, (database, SCHEMA, table))))


def compare_tables(
    connection: duckdb.DuckDBPyConnection,
    mart: Mart,
    before: str | None,
    after: str | None,
    *,
    type_of: Callable[[str], str] = str,
    ignored: Collection[str] = STAMPS,
    sides: tuple[str, str] = TableChange.sides,
) -> TableChange:
    """Compare a mart of two databases that a connection sees, row by row: by its key, where it has one.

    Args:
        connection: sees both.
        mart: which one.
        before: one database; None for the connection's own.
        after: the other one.
        type_of: what of a column's type is to be the same.
        ignored: columns whose values may differ.
        sides: what both are called.
    """
    found = [_columns(connection, database, mart.name) for database in (before, after)]
    rows = tuple(count(connection, database, mart.name) for database in (before, after))
    if not all(found):
        return TableChange(mart.name, rows, sides=sides)
    old, new = ({name: type_of(kind) for name, kind in columns.items()} for columns in found)
    columns = [f"`{name}` is gone" for name in old if name not in new]
    columns += [f"`{name}` is new, {kind}" for name, kind in new.items() if name not in old]
    columns += [
        f"`{name}` was {old[name]} and is {kind}"
        for name, kind in new.items()
        if name in old and old[name] != kind
    ]
    both = [name for name in new if name in old and old[name] == new[name] and name not in ignored]
    key = tuple(name for name in mart.key if name in both) if set(mart.key) <= set(both) else ()
    relations = tuple(_relation(database, mart.name) for database in (before, after))
    if key and all(_is_key(connection, relation, key) for relation in relations):
        changed = _by_key(connection, relations, key, [name for name in both if name not in key])
    else:
        key, changed = (), _by_row(connection, relations, both)
    return TableChange(
        mart.name, rows, tuple(columns), key, tuple(each for each in changed if each.rows), sides
    )


def _columns(connection: duckdb.DuckDBPyConnection, database: str | None, table: str) -> dict[str, str]:
    found = connection.execute(
        "select column_name, data_type from duckdb_columns()"
        " where database_name = coalesce(?, current_database()) and schema_name = ? and table_name = ? order by column_index",
        [database, SCHEMA, table],
    )
    return dict(found.fetchall())


def _is_key(connection: duckdb.DuckDBPyConnection, relation: str, key: tuple[str, ...]) -> bool:
    columns = ", ".join(map(quoted, key))
    query = f"select 1 from {relation} group by {columns} having count(*) > 1 limit 1"
    return connection.execute(query).fetchone() is None


def _by_key(
    connection: duckdb.DuckDBPyConnection, sides: tuple[str, ...], key: tuple[str, ...], columns: list[str]
) -> Iterator[Changed]:
    same_key = " and ".join(f"old.{quoted(name)} is not distinct from new.{quoted(name)}" for name in key)
    for what, side, other, values in (
        ("rows that are gone", "old", "new", "'there', ''"),
        ("new rows", "new", "old", "'', 'there'"),
    ):
        one, two = sides if side == "old" else reversed(sides)
        rows = f"from {one} as {side} anti join {two} as {other} on {same_key}"
        yield _changed(connection, what, rows, _shown(side, key), values)
    joined = f"from {sides[0]} as old inner join {sides[1]} as new on {same_key}"
    differ = {name: f"old.{quoted(name)} is distinct from new.{quoted(name)}" for name in columns}
    # All columns in one join.
    counts = [f"count(*) filter ({condition})" for condition in differ.values()]
    found = connection.execute(f"select {', '.join(counts)} {joined}").fetchone() if counts else ()
    for name, number in zip(columns, found, strict=True):
        values = ", ".join(_text(f"{side}.{quoted(name)}") for side in ("old", "new"))
        yield _changed(connection, name, f"{joined} where {differ[name]}", _shown("old", key), values, number)


def _by_row(
    connection: duckdb.DuckDBPyConnection, sides: tuple[str, ...], columns: list[str]
) -> Iterator[Changed]:
    """Whole rows that only one side has, for want of a key."""
    listed = ", ".join(map(quoted, columns))
    old, new = (f"select {listed} from {side}" for side in sides)
    for what, rows, values in (
        ("rows that are gone", f"from ({old} except all {new}) as one", "'there', ''"),
        ("new rows", f"from ({new} except all {old}) as one", "'', 'there'"),
    ):
        yield _changed(connection, what, rows, _shown("one", columns), values)


def _changed(
    connection: duckdb.DuckDBPyConnection,
    what: str,
    rows: str,
    row: str,
    values: str,
    number: int | None = None,
) -> Changed:
    """Count the rows, unless that is done, and show some."""
    if number is None:
        (number,) = connection.execute(f"select count(*) {rows}").fetchone()
    examples = []
    if number:
        query = f"select {row}, {values} {rows} order by 1 limit {EXAMPLES}"
        examples = [tuple(map(str, example)) for example in connection.execute(query).fetchall()]
    return Changed(what, number, tuple(examples))


def _shown(side: str, columns: tuple[str, ...] | list[str]) -> str:
    return "concat_ws(', ', " + ", ".join(_text(f"{side}.{quoted(name)}") for name in columns) + ")"


def _text(column: str) -> str:
    return f"coalesce(cast({column} as text), 'null')"
