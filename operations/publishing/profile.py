"""What is in a table, in numbers that can be added up: rows, a checksum, nulls, totals, newest dates.

A table is looked at by slices, the parts that dbt rebuilds (a month of a fact); one that is rebuilt whole is
one slice. The checksum of a slice is the sum of the hashes of its rows, so neither the order of the rows
nor that of the slices matters, and that of a table is the sum of its slices'.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ingestion.warehouse import Warehouse, quoted
from operations.publishing.errors import PublishError
from operations.publishing.marts import SCHEMA, Mart

# Of a table that is rebuilt whole.
WHOLE = ""
# When dbt wrote a row (see the macro rebuild_changed_months).
BUILT_AT = "_built_at"
# Columns that say when, and nothing of what the row is about: other values of them make no other row.
STAMPS = (BUILT_AT, "_facts_built_at", "_judged_at")
NUMBERS = ("DECIMAL", "DOUBLE", "FLOAT", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT")
NUMBERS += ("USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "NUMERIC", "REAL")
FLOATING = ("DOUBLE", "FLOAT", "REAL")
TIMES = ("DATE", "TIMESTAMP")


@dataclass(frozen=True)
class Slice:
    """What is in a slice.

    Attributes:
        rows: how many.
        hashes: sum of the rows' hashes.
        nulls: by column, where there are some.
        totals: of measures.
        newest: the last date, or time, in ISO form.
        mark: what the warehouse says of when its rows were written (see `marks`); None if it does not.
    """

    rows: int
    hashes: int
    nulls: Mapping[str, int] = field(default_factory=dict)
    totals: Mapping[str, float] = field(default_factory=dict)
    newest: Mapping[str, str] = field(default_factory=dict)
    mark: str | None = None

    def same_rows(self, other: "Slice | None") -> bool:
        """Whether the other one holds the same rows."""
        return other is not None and (self.rows, self.hashes) == (other.rows, other.hashes)


@dataclass(frozen=True)
class Profile:
    """What is in a table: its columns with their types, in order, and its slices by the value of a column."""

    columns: Mapping[str, str]
    slices: Mapping[str, Slice]
    slice_by: str | None = None
    contracted: bool = True
    may_shrink: bool = False

    @property
    def rows(self) -> int:
        """Rows of all slices."""
        return sum(each.rows for each in self.slices.values())

    @property
    def checksum(self) -> str:
        """Of all rows, in any order; 32 hexadecimal digits."""
        return f"{sum(each.hashes for each in self.slices.values()):032x}"

    def total(self, what: str) -> dict[str, float]:
        """`nulls` or `totals` of the whole table."""
        sums: dict[str, float] = {}
        for each in self.slices.values():
            for column, value in getattr(each, what).items():
                sums[column] = sums.get(column, 0) + value
        return sums

    @property
    def newest(self) -> dict[str, str]:
        """The last date of each column."""
        found: dict[str, str] = {}
        for each in self.slices.values():
            for column, value in each.newest.items():
                found[column] = max(value, found.get(column, value))
        return found

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values; sums of hashes are texts, which no reader of JSON rounds."""
        slices = {
            key: {
                name: str(value) if name == "hashes" else value
                for name, value in asdict(each).items()
                if value
            }
            for key, each in self.slices.items()
        }
        return {
            "rows": self.rows,
            "checksum": self.checksum,
            "contracted": self.contracted,
            "may_shrink": self.may_shrink,
            "columns": dict(self.columns),
            "slice_by": self.slice_by,
            "slices": slices,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Profile":
        """The opposite of `to_dict`."""
        slices = {
            key: Slice(**{"rows": 0, **each, "hashes": int(each.get("hashes", 0))})
            for key, each in values["slices"].items()
        }
        return cls(
            values["columns"],
            slices,
            values["slice_by"],
            values["contracted"],
            values.get("may_shrink", False),
        )


@dataclass(frozen=True)
class Table:
    """A mart as it stands in a database.

    Attributes:
        mart: what dbt says of it.
        relation: where it is, for SQL.
        columns: names and types, in order.
        nullable: columns that may hold null.
    """

    mart: Mart
    relation: str
    columns: Mapping[str, str]
    nullable: Collection[str]

    @property
    def slice_by(self) -> str | None:
        """The column by whose values it is looked at, if it has it."""
        return self.mart.slice_by if self.mart.slice_by in self.columns else None

    def profile(self, slices: Mapping[str, Slice]) -> Profile:
        """What is in it, made of its slices."""
        return Profile(self.columns, slices, self.slice_by, self.mart.contracted, self.mart.may_shrink)

    def measures(self) -> list[str]:
        """Columns whose sum means something."""
        no_measures = {*self.mart.key, *self.mart.references, *self.mart.no_measures}
        return [
            column
            for column, kind in self.columns.items()
            if kind.upper().startswith(NUMBERS)
            and not kind.endswith("]")
            and column not in no_measures
            and not f"_{column}".endswith(("_id", "_key"))
        ]

    def of_slices(self, keys: Iterable[str]) -> str:
        """The condition that holds for the rows of these slices."""
        if not self.slice_by:
            return "true"
        values = [f"'{key}'" for key in keys if key != WHOLE]
        column = quoted(self.slice_by)
        kind = self.columns[self.slice_by]
        conditions = [f"{column} in ({', '.join(f'cast({value} as {kind})' for value in values)})"] * bool(
            values
        )
        return " or ".join(conditions + [f"{column} is null"] * (WHOLE in keys)) or "false"

    def slice_key(self) -> str:
        """The expression that gives the slice of a row."""
        return f"coalesce(cast({quoted(self.slice_by)} as text), '')" if self.slice_by else "''"


def look(warehouse: Warehouse, marts: Iterable[Mart], schema: str = SCHEMA, **where: str) -> dict[str, Table]:
    """The marts as they stand in a schema, by name.

    Args:
        warehouse: where they are.
        marts: what dbt says of them.
        schema: which schema.
        where: `database` of DuckDB; the current one if none is named.

    Raises:
        PublishError: one of them has not been built.
    """
    found = warehouse.tables(schema, **where)
    tables = {}
    for mart in marts:
        if mart.name not in found:
            raise PublishError(f"{schema}.{mart.name} has not been built")
        columns = found[mart.name]
        tables[mart.name] = Table(
            mart,
            relation=".".join(map(quoted, [*where.values(), schema, mart.name])),
            columns={column.name: column.kind for column in columns},
            nullable=[column.name for column in columns if column.nullable],
        )
    return tables


def count_slices(warehouse: Warehouse, table: Table) -> dict[str, int]:
    """Rows of each slice, which reads one column at most."""
    if not table.slice_by:
        return dict(warehouse.execute(f"select '', count(*) from {table.relation}").fetchall())
    column = quoted(table.slice_by)
    return dict(
        warehouse.execute(
            f"select coalesce(cast({column} as text), ''), count(*) from {table.relation} group by {column}"
        ).fetchall()
    )


def measure(warehouse: Warehouse, table: Table, keys: Collection[str] | None = None) -> dict[str, Slice]:
    """Read slices, all if none are named; a slice without rows is not there, but of a table rebuilt whole."""
    if keys is not None and not keys:
        return {}
    measures = table.measures()
    said = {column: kind.upper() for column, kind in table.columns.items() if column not in STAMPS}
    times = [column for column, kind in said.items() if kind.startswith(TIMES) and not kind.endswith("]")]
    finite = {column: said[column].startswith(FLOATING) for column in measures}
    numbers = [
        *(f"count(*) - count({quoted(column)})" for column in table.nullable),
        *(
            f"cast(coalesce(sum({quoted(column)})"
            f"{f' filter (where {warehouse.is_finite(column)})' if finite[column] else ''}, 0) as double precision)"
            for column in measures
        ),
        *(f"cast(max({quoted(column)}) as text)" for column in times),
    ]
    select = ", ".join([table.slice_key(), "count(*)", warehouse.row_hashes(list(said)), *numbers])
    where = "true" if keys is None else table.of_slices(keys)
    group = f"group by {quoted(table.slice_by)}" if table.slice_by else ""
    slices = {}
    for key, rows, hashes, *values in warehouse.execute(
        f"select {select} from {table.relation} where {where} {group} order by 1"
    ).fetchall():
        nulls, totals = values[: len(table.nullable)], values[len(table.nullable) :]
        slices[key] = Slice(
            rows,
            int(hashes),
            nulls={column: count for column, count in zip(table.nullable, nulls, strict=True) if count},
            totals=dict(zip(measures, totals, strict=False)),
            newest={
                column: value
                for column, value in zip(times, totals[len(measures) :], strict=True)
                if value is not None
            },
        )
    return slices


def verify(warehouse: Warehouse, table: Table, profile: Profile, written: Collection[str]) -> None:
    """See that what was written can be read, and that nothing else came or went.

    Args:
        warehouse: where it can be read.
        table: as it was written.
        profile: what is to be in it.
        written: the slices that were written; of the others only the rows are counted.

    Raises:
        PublishError: something else is in it.
    """
    expected = {key: each.rows for key, each in profile.slices.items()}
    read = measure(warehouse, table, [key for key in written if key in expected])
    if count_slices(warehouse, table) != expected or not all(
        each.same_rows(profile.slices[key]) for key, each in read.items()
    ):
        raise PublishError(f"{table.relation} does not hold what the warehouse does; nothing is published")


def marks(warehouse: Warehouse, table: Table) -> dict[str, str]:
    """Marks of the slices of a table: the same mark means the same rows, another one means nothing.

    To read all rows of all months at each publication would cost more with every month. So of a table whose
    rows say when they were written, a slice with as many rows of the same times is the same slice.
    """
    if BUILT_AT not in table.columns or not table.slice_by:
        return {}
    columns = hashlib.blake2b(repr(list(table.columns.items())).encode(), digest_size=8).hexdigest()
    select = f"{table.slice_key()}, count(*), {warehouse.row_hashes([BUILT_AT])}"
    found = warehouse.execute(
        f"select {select} from {table.relation} group by {quoted(table.slice_by)}"
    ).fetchall()
    return {key: f"{columns}-{rows}-{int(times):x}" for key, rows, times in found}
