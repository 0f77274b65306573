"""Statistics of a table that can be added up: rows, a checksum, nulls, totals, newest dates.

They are kept per partition, the part that dbt rebuilds (a month of a fact); a table that is rebuilt whole is one
partition. The checksum of a partition is the sum of the hashes of its rows, so it depends neither on the order of the
rows nor on that of the partitions, and the checksum of a table is the sum over its partitions.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import islice
from typing import Any

from publishing.errors import PublishError
from publishing.marts import SCHEMA, Mart
from warehouse import Warehouse, quoted

# The key of the only partition of a table that is rebuilt whole, and of rows whose partition column is null.
WHOLE = ""
# When dbt wrote a row (see the incremental strategy by_month).
BUILT_AT = "_built_at"
# Columns that say when a row was built; other values in them do not make it another row.
STAMPS = (BUILT_AT, "_source_built_at", "_validated_at")
FLOATING = ("DOUBLE", "FLOAT", "REAL")
INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
NUMBERS = (*FLOATING, "DECIMAL", "NUMERIC", *INTEGERS, *(f"U{kind}" for kind in INTEGERS))
TIMES = ("DATE", "TIMESTAMP")


@dataclass(frozen=True)
class Partition:
    """Statistics of a partition."""

    rows: int
    hashes: int  # the sum of the rows' hashes
    nulls: Mapping[str, int] = field(default_factory=dict)  # by column, without those that have none
    totals: Mapping[str, float] = field(default_factory=dict)  # sums of measures
    newest: Mapping[str, str] = field(default_factory=dict)  # the last date or time in ISO form
    watermark: str | None = None  # when its rows were written (see `watermarks`), if they say

    def same_rows(self, other: "Partition | None") -> bool:
        return other is not None and (self.rows, self.hashes) == (other.rows, other.hashes)


@dataclass(frozen=True)
class TableStats:
    """Statistics of a table: its columns with their types, in order, and its partitions by the value of a column."""

    columns: Mapping[str, str]
    partitions: Mapping[str, Partition]
    partition_by_column: str | None = None
    contracted: bool = True
    allow_decrease: bool = False

    @property
    def rows(self) -> int:
        return sum(each.rows for each in self.partitions.values())

    @property
    def checksum(self) -> str:
        """The checksum of all rows, 32 hexadecimal digits."""
        return f"{sum(each.hashes for each in self.partitions.values()):032x}"

    def same_columns(self, other: "TableStats | Table") -> bool:
        return list(self.columns.items()) == list(other.columns.items())

    def same_rows(self, other: "TableStats") -> bool:
        return (self.rows, self.checksum) == (other.rows, other.checksum) and self.same_columns(other)

    def changed_partitions(self, old: "TableStats | None") -> set[str]:
        """Return the keys of partitions whose rows differ; all of them if the tables are not alike."""
        keys = {*self.partitions, *(old.partitions if old else ())}
        if not old or not self.same_columns(old) or self.partition_by_column != old.partition_by_column:
            return keys
        same = {key for key, each in self.partitions.items() if each.same_rows(old.partitions.get(key))}
        return keys - same

    def total(self, what: str) -> dict[str, float]:
        """Return the `nulls` or `totals` of the whole table."""
        sums: dict[str, float] = {}
        for each in self.partitions.values():
            for column, value in getattr(each, what).items():
                sums[column] = sums.get(column, 0) + value
        return sums

    @property
    def newest(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for each in self.partitions.values():
            for column, value in each.newest.items():
                found[column] = max(value, found.get(column, value))
        return found

    def to_dict(self) -> dict[str, Any]:
        return {"rows": self.rows, "checksum": self.checksum, **asdict(self)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "TableStats":
        known = {each.name: values[each.name] for each in fields(cls)}
        partitions = {key: Partition(**each) for key, each in values["partitions"].items()}
        return cls(**known | {"partitions": partitions})


@dataclass(frozen=True)
class Table:
    """A mart as it stands in a database."""

    mart: Mart
    relation: str  # its name in SQL
    columns: Mapping[str, str]  # names and types, in order
    nullable: Collection[str]

    @property
    def partition_by_column(self) -> str | None:
        """The column that dbt rebuilds the table by, if the table has it."""
        return self.mart.partition_by_column if self.mart.partition_by_column in self.columns else None

    @property
    def partition_key(self) -> str:
        """SQL for the key of a row's partition."""
        column = self.partition_by_column
        return f"coalesce(cast({quoted(column)} as text), '')" if column else "''"

    @property
    def group_by_partition(self) -> str:
        """SQL that groups rows by partition; nothing for a table that is rebuilt whole."""
        return f"group by {quoted(self.partition_by_column)}" if self.partition_by_column else ""

    def measures(self) -> list[str]:
        """Return the columns whose sum means something."""
        not_added = {*self.mart.key, *self.mart.references, *self.mart.no_measures}
        return [
            column
            for column, kind in self.columns.items()
            if kind.upper().startswith(NUMBERS)
            and not kind.endswith("]")
            and column not in not_added
            and not f"_{column}".endswith(("_id", "_key"))
        ]

    def where_partition_in(self, keys: Collection[str]) -> str:
        """Return the SQL condition that selects the rows of these partitions."""
        if not self.partition_by_column:
            return "true"
        column, kind = quoted(self.partition_by_column), self.columns[self.partition_by_column]
        values = ", ".join(f"cast('{key}' as {kind})" for key in keys if key != WHOLE)
        conditions = [f"{column} in ({values})"] * bool(values) + [f"{column} is null"] * (WHOLE in keys)
        return " or ".join(conditions) or "false"


def describe_tables(
    warehouse: Warehouse, marts: Iterable[Mart], schema: str = SCHEMA, **where: str
) -> dict[str, Table]:
    """Return the marts as they stand in a schema; `where` may name the `database` of DuckDB.

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


def compute_stats(warehouse: Warehouse, table: Table, published: TableStats | None = None) -> TableStats:
    """Compute the statistics of a table.

    Partitions whose watermark is that of the published statistics are taken from there and not read.
    """
    marks = watermarks(warehouse, table)
    unread: dict[str, Partition] = {}
    if (
        published
        and published.same_columns(table)
        and published.partition_by_column == table.partition_by_column
    ):
        known = published.partitions
        unread = {
            key: known[key] for key, mark in marks.items() if key in known and known[key].watermark == mark
        }
    read = read_partitions(warehouse, table, [key for key in marks if key not in unread] if marks else None)
    read = {key: replace(each, watermark=marks.get(key)) for key, each in read.items()}
    return TableStats(
        table.columns,
        dict(sorted({**unread, **read}.items())),
        table.partition_by_column,
        table.mart.contracted,
        table.mart.allow_decrease,
    )


def watermarks(warehouse: Warehouse, table: Table) -> dict[str, str]:
    """Return a value per partition that changes whenever dbt writes the partition; none if the rows do not say when.

    Reading all rows of all months at each publication would cost more with every month. Where rows carry the time at
    which dbt wrote them, a partition with as many rows of the same times is the same partition.
    """
    if BUILT_AT not in table.columns:
        return {}
    columns = hashlib.blake2b(repr(list(table.columns.items())).encode(), digest_size=8).hexdigest()
    select = f"{table.partition_key}, count(*), {warehouse.row_hashes([BUILT_AT])}"
    found = warehouse.execute(f"select {select} from {table.relation} {table.group_by_partition}").fetchall()
    return {key: f"{columns}-{rows}-{int(times):x}" for key, rows, times in found}


def read_partitions(
    warehouse: Warehouse, table: Table, keys: Collection[str] | None = None
) -> dict[str, Partition]:
    """Read partitions, all by default. A partition without rows is left out, unless the table is rebuilt whole."""
    if keys is not None and not keys:
        return {}
    measures = table.measures()
    compared = {column: kind.upper() for column, kind in table.columns.items() if column not in STAMPS}
    times = [column for column, kind in compared.items() if kind.startswith(TIMES) and not kind.endswith("]")]

    def total(column: str) -> str:
        finite = (
            f"filter (where {warehouse.is_finite(column)})" if compared[column].startswith(FLOATING) else ""
        )
        return f"cast(coalesce(sum({quoted(column)}) {finite}, 0) as double precision)"

    select = [
        table.partition_key,
        "count(*)",
        warehouse.row_hashes(list(compared)),
        *(f"count(*) - count({quoted(column)})" for column in table.nullable),
        *map(total, measures),
        *(f"cast(max({quoted(column)}) as text)" for column in times),
    ]
    where = "true" if keys is None else table.where_partition_in(keys)
    partitions = {}
    for key, rows, hashes, *values in warehouse.execute(
        f"select {', '.join(select)} from {table.relation} where {where} {table.group_by_partition} order by 1"
    ).fetchall():
        of_columns = iter(values)
        nulls, totals, newest = (
            dict(zip(columns, islice(of_columns, len(columns)), strict=True))
            for columns in (table.nullable, measures, times)
        )
        partitions[key] = Partition(rows, int(hashes), _present(nulls), totals, _present(newest))
    return partitions


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    return {column: value for column, value in values.items() if value}


def count_partitions(warehouse: Warehouse, table: Table) -> dict[str, int]:
    """Count the rows of each partition, which reads one column at most."""
    found = warehouse.execute(
        f"select {table.partition_key}, count(*) from {table.relation} {table.group_by_partition}"
    )
    return dict(found.fetchall())


def verify_written(warehouse: Warehouse, table: Table, stats: TableStats, written: Collection[str]) -> None:
    """Read back the partitions that were written, and count the rows of the others.

    Raises:
        PublishError: the table does not hold what the statistics say.
    """
    expected = {key: each.rows for key, each in stats.partitions.items()}
    read = read_partitions(warehouse, table, [key for key in written if key in expected])
    if count_partitions(warehouse, table) != expected or not all(
        each.same_rows(stats.partitions[key]) for key, each in read.items()
    ):
        raise PublishError(
            f"{table.relation} does not hold the rows of the warehouse; nothing is published. Publish again."
        )
