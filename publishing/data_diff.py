"""Compares the marts of two databases row by row."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

import duckdb

from publishing.comparison import as_table
from publishing.marts import SCHEMA, Mart
from publishing.table_stats import STAMPS
from warehouse import quoted

EXAMPLES = 5


@dataclass(frozen=True)
class RowDiff:
    """Rows that differ in a column, or whose key only one side has."""

    what: str  # the column, `rows removed` or `rows added`
    rows: int
    examples: tuple[tuple[str, str, str], ...]  # key, and the value on both sides; as texts


@dataclass(frozen=True)
class TableDiff:
    """The differences of a mart between two databases."""

    table: str
    rows: tuple[int | None, int | None]  # None where the table does not exist
    columns: tuple[
        str, ...
    ] = ()  # sentences about columns that were removed, were added or changed their type
    key: tuple[str, ...] = ()  # what rows are compared by; empty if no columns identify a row
    changed: tuple[RowDiff, ...] = ()
    sides: tuple[str, str] = ("published", "with the change")

    @property
    def differs(self) -> bool:
        return bool(self.columns or self.changed) or self.rows[0] != self.rows[1]

    def markdown(self) -> str:
        shown = ["none" if count is None else f"{count:,}" for count in self.rows]
        lines = [f"### {self.table}", "", f"Rows: {shown[0]} {self.sides[0]}, {shown[1]} {self.sides[1]}."]
        lines += [f"- {sentence}" for sentence in self.columns]
        if self.changed:
            by = f"by {', '.join(self.key)}" if self.key else "(whole rows, as no columns identify a row)"
            counts = [[each.what, f"{each.rows:,}"] for each in self.changed]
            examples = [[each.what, *example] for each in self.changed for example in each.examples]
            lines += ["", f"Rows that differ {by}:", "", as_table(["what", "rows"], counts), ""]
            lines += [as_table(["what", "row", *self.sides], examples)]
        return "\n".join(lines)


class DataDiff:
    """Compares marts of two databases that a connection sees; None stands for the connection's own database."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        before: str | None,
        after: str | None,
        *,
        type_of: Callable[[str], str] = str,  # what must be the same about the types of two columns
        ignored: Collection[str] = STAMPS,
        sides: tuple[str, str] = TableDiff.sides,
    ) -> None:
        self._connection = connection
        self._databases = before, after
        self._type_of = type_of
        self._ignored = ignored
        self._sides = sides

    def compare(self, mart: Mart) -> TableDiff:
        """Compare a mart by its key if it has one, or else by whole rows."""
        found = [self._columns(database, mart.name) for database in self._databases]
        relations = [
            ".".join(map(quoted, filter(None, (database, SCHEMA, mart.name)))) for database in self._databases
        ]
        before, after = (
            self._number(f"select count(*) from {relation}") if columns else None
            for relation, columns in zip(relations, found, strict=True)
        )
        rows = before, after
        if not all(found):
            return TableDiff(mart.name, rows, sides=self._sides)
        old, new = ({name: self._type_of(kind) for name, kind in columns.items()} for columns in found)
        columns = [f"`{name}` was removed" for name in old if name not in new]
        columns += [f"`{name}` was added, {kind}" for name, kind in new.items() if name not in old]
        columns += [
            f"`{name}` was {old[name]} and is {kind}"
            for name, kind in new.items()
            if name in old and old[name] != kind
        ]
        both = [
            name
            for name, kind in new.items()
            if name in old and old[name] == kind and name not in self._ignored
        ]
        if (
            mart.key
            and set(mart.key) <= set(both)
            and all(self._is_key(relation, mart.key) for relation in relations)
        ):
            key = mart.key
            changed = self._by_key(relations, key, [name for name in both if name not in key])
        else:
            key, changed = (), self._by_row(relations, both)
        different = tuple(each for each in changed if each.rows)
        return TableDiff(mart.name, rows, tuple(columns), key, different, self._sides)

    def _columns(self, database: str | None, table: str) -> dict[str, str]:
        found = self._connection.execute(
            "select column_name, data_type from duckdb_columns() where schema_name = ? and table_name = ?"
            " and database_name = coalesce(?, current_database()) order by column_index",
            [SCHEMA, table, database],
        )
        return dict(found.fetchall())

    def _number(self, query: str) -> int:
        ((number,),) = self._connection.execute(query).fetchall()
        return number

    def _is_key(self, relation: str, key: Iterable[str]) -> bool:
        columns = ", ".join(map(quoted, key))
        query = f"select 1 from {relation} group by {columns} having count(*) > 1 limit 1"
        return self._connection.execute(query).fetchone() is None

    def _by_key(self, relations: list[str], key: tuple[str, ...], columns: list[str]) -> Iterator[RowDiff]:
        before, after = relations
        same_key = " and ".join(f"old.{quoted(name)} is not distinct from new.{quoted(name)}" for name in key)
        removed = f"from {before} as old anti join {after} as new on {same_key}"
        added = f"from {after} as new anti join {before} as old on {same_key}"
        yield self._rows("rows removed", removed, _shown("old", key), "'exists', ''")
        yield self._rows("rows added", added, _shown("new", key), "'', 'exists'")
        joined = f"from {before} as old inner join {after} as new on {same_key}"
        differ = {name: f"old.{quoted(name)} is distinct from new.{quoted(name)}" for name in columns}
        # One join counts the differences of all columns.
        counts = [f"count(*) filter ({condition})" for condition in differ.values()]
        found = (
            self._connection.execute(f"select {', '.join(counts)} {joined}").fetchall() if counts else [()]
        )
        for name, number in zip(columns, found[0], strict=True):
            values = ", ".join(_text(f"{side}.{quoted(name)}") for side in ("old", "new"))
            rows = f"{joined} where {differ[name]}"
            yield self._rows(name, rows, _shown("old", key), values, number)

    def _by_row(self, relations: list[str], columns: list[str]) -> Iterator[RowDiff]:
        """Compare whole rows, as nothing identifies a row."""
        listed = ", ".join(map(quoted, columns))
        old, new = (f"select {listed} from {relation}" for relation in relations)
        row = _shown("one", columns)
        yield self._rows("rows removed", f"from ({old} except all {new}) as one", row, "'exists', ''")
        yield self._rows("rows added", f"from ({new} except all {old}) as one", row, "'', 'exists'")

    def _rows(self, what: str, rows: str, row: str, values: str, number: int | None = None) -> RowDiff:
        """Describe rows that differ; count them unless their number is known."""
        if number is None:
            number = self._number(f"select count(*) {rows}")
        examples = []
        if number:
            query = f"select {row}, {values} {rows} order by 1 limit {EXAMPLES}"
            found = self._connection.execute(query).fetchall()
            examples = [(str(key), str(old), str(new)) for key, old, new in found]
        return RowDiff(what, number, tuple(examples))


def _shown(side: str, columns: Iterable[str]) -> str:
    return "concat_ws(', ', " + ", ".join(_text(f"{side}.{quoted(name)}") for name in columns) + ")"


def _text(column: str) -> str:
    return f"coalesce(cast({column} as text), 'null')"
