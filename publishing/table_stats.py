"""What is in a table, in numbers that can be added up: rows, a checksum, nulls, totals, newest dates.

A table is looked at by partitions, the parts that dbt rebuilds (a month of a fact); one that is rebuilt whole is
one slice. The checksum of a slice is the sum of the hashes of its rows, so neither the order of the rows
nor that of the partitions matters, and that of a table is the sum of its partitions'.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from publishing.errors import PublishError
from publishing.marts import SCHEMA, Mart
from warehouse import Warehouse, quoted

# Of a table that is rebuilt whole.
WHOLE = ""
# When dbt wrote a row (see the macro incremental_by_month).
BUILT_AT = "_built_at"
# Columns that say when, and nothing of what the row is about: other values of them make no other row.
STAMPS = (BUILT_AT, "_source_built_at", "_validated_at")
NUMBERS = ("DECIMAL", "DOUBLE", "FLOAT", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT")
NUMBERS += ("USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "NUMERIC", "REAL")
FLOATING = ("DOUBLE", "FLOAT", "REAL")
TIMES = ("DATE", "TIMESTAMP")


@dataclass(frozen=True)
class Partition:
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

    def same_rows(self, other: "Partition | None") -> bool:
        """Whether the other one holds the same rows."""
        return other is not None and (self.rows, self.hashes) == (other.rows, other.hashes)


@dataclass(frozen=True)
class TableStats:
    """What is in a table: its columns with their types, in order, and its partitions by the value of a column."""

    columns: Mapping[str, str]
    partitions: Mapping[str, Partition]
    partition_by_column: str | None = None
    contracted: bool = True
    allow_decrease: bool = False

    @property
    def rows(self) -> int:
        """Rows of all partitions."""
        return sum(each.rows for each in self.partitions.values())

    @property
    def checksum(self) -> str:
        """Of all rows, in any order; 32 hexadecimal digits."""
        return f"{sum(each.hashes for each in self.partitions.values()):032x}"

    def total(self, what: str) -> dict[str, float]:
        """`nulls` or `totals` of the whole table."""
        sums: dict[str, float] = {}
        for each in self.partitions.values():
            for column, value in getattr(each, what).items():
                sums[column] = sums.get(column, 0) + value
        return sums

    @property
    def newest(self) -> dict[str, str]:
        """The last date of each column."""
        found: dict[str, str] = {}
        for each in self.partitions.values():
            for column, value in each.newest.items():
                found[column] = max(value, found.get(column, value))
        return found

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values; sums of hashes are texts, which no reader of JSON rounds."""
        partitions = {
            key: {
                name: str(value) if name == "hashes" else value
                for name, value in asdict(each).items()
                if value
            }
            for key, each in self.partitions.items()
        }
        return {
            "rows": self.rows,
            "checksum": self.checksum,
            "contracted": self.contracted,
            "allow_decrease": self.allow_decrease,
            "columns": dict(self.columns),
            "partition_by_column": self.partition_by_column,
            "partitions": partitions,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "TableStats":
        """The opposite of `to_dict`."""
        partitions = {
            key: Partition(**{"rows": 0, **each, "hashes": int(each.get("hashes", 0))})
            for key, each in values["partitions"].items()
        }
        return cls(
            values["columns"],
            partitions,
            values["partition_by_column"],
            values["contracted"],
            values.get("allow_decrease", False),
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
    def partition_by_column(self) -> str | None:
        """The column by whose values it is looked at, if it has it."""
        return self.mart.partition_by_column if self.mart.partition_by_column in self.columns else None

    def profile(self, partitions: Mapping[str, Partition]) -> TableStats:
        """What is in it, made of its partitions."""
        return TableStats(
            self.columns, partitions, self.partition_by_column, self.mart.contracted, self.mart.allow_decrease
        )

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

    def of_partitions(self, keys: Iterable[str]) -> str:
        """The condition that holds for the rows of these partitions."""
        if not self.partition_by_column:
            return "true"
        values = [f"'{key}'" for key in keys if key != WHOLE]
        column = quoted(self.partition_by_column)
        kind = self.columns[self.partition_by_column]
        conditions = [f"{column} in ({', '.join(f'cast({value} as {kind})' for value in values)})"] * bool(
            values
        )
        return " or ".join(conditions + [f"{column} is null"] * (WHOLE in keys)) or "false"

    def partition_key(self) -> str:
        """The expression that gives the slice of a row."""
        return (
            f"coalesce(cast({quoted(self.partition_by_column)} as text), '')"
            if self.partition_by_column
            else "''"
        )


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


def count_partitions(warehouse: Warehouse, table: Table) -> dict[str, int]:
    """Rows of each slice, which reads one column at most."""
    if not table.partition_by_column:
        return dict(warehouse.execute(f"select '', count(*) from {table.relation}").fetchall())
    column = quoted(table.partition_by_column)
    return dict(
        warehouse.execute(
            f"select coalesce(cast({column} as text), ''), count(*) from {table.relation} group by {column}"
        ).fetchall()
    )


def measure(warehouse: Warehouse, table: Table, keys: Collection[str] | None = None) -> dict[str, Partition]:
    """Read partitions, all if none are named; a slice without rows is not there, but of a table rebuilt whole."""
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
    select = ", ".join([table.partition_key(), "count(*)", warehouse.row_hashes(list(said)), *numbers])
    where = "true" if keys is None else table.of_partitions(keys)
    group = f"group by {quoted(table.partition_by_column)}" if table.partition_by_column else ""
    partitions = {}
    for key, rows, hashes, *values in warehouse.execute(
        f"select {select} from {table.relation} where {where} {group} order by 1"
    ).fetchall():
        nulls, totals = values[: len(table.nullable)], values[len(table.nullable) :]
        partitions[key] = Partition(
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
    return partitions


def verify(warehouse: Warehouse, table: Table, profile: TableStats, written: Collection[str]) -> None:
    """See that what was written can be read, and that nothing else came or went.

    Args:
        warehouse: where it can be read.
        table: as it was written.
        profile: what is to be in it.
        written: the partitions that were written; of the others only the rows are counted.

    Raises:
        PublishError: something else is in it.
    """
    expected = {key: each.rows for key, each in profile.partitions.items()}
    read = measure(warehouse, table, [key for key in written if key in expected])
    if count_partitions(warehouse, table) != expected or not all(
        each.same_rows(profile.partitions[key]) for key, each in read.items()
    ):
        raise PublishError(f"{table.relation} does not hold what the warehouse does; nothing is published")


def marks(warehouse: Warehouse, table: Table) -> dict[str, str]:
    """Marks of the partitions of a table: the same mark means the same rows, another one means nothing.

    To read all rows of all months at each publication would cost more with every month. So of a table whose
    rows say when they were written, a slice with as many rows of the same times is the same slice.
    """
    if BUILT_AT not in table.columns or not table.partition_by_column:
        return {}
    columns = hashlib.blake2b(repr(list(table.columns.items())).encode(), digest_size=8).hexdigest()
    select = f"{table.partition_key()}, count(*), {warehouse.row_hashes([BUILT_AT])}"
    found = warehouse.execute(
        f"select {select} from {table.relation} group by {quoted(table.partition_by_column)}"
    ).fetchall()
    return {key: f"{columns}-{rows}-{int(times):x}" for key, rows, times in found}
