"""Tables with the lineage of their columns, and what follows from it in both directions.

Names: a table is `schema.table`, a column `schema.table.column`, an input `landing/<domain>/<entity>` or
`api/<domain>/<resource>`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property

RAW, SEED, MODEL = "raw", "seed", "model"


class UnknownNameError(LookupError):
    """There is no such table or column; the message names the nearest ones."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        sources: the columns of other tables from which its value comes.
        expression: what computes it, for people; empty for a column that is taken as it is.
        digest: a hash of its definition, in which timestamps of runs and ids of loads do not count.
        counts_rows: its value is a number of rows, so that the rows of its table decide it.
        personal: a raw column about persons, by `config: {meta: {personal: true}}` of the source.
    """

    sources: tuple[str, ...] = ()
    expression: str = ""
    digest: str = ""
    counts_rows: bool = False
    personal: bool = False


@dataclass(frozen=True)
class Table:
    """A raw table, a seed or a model.

    Attributes:
        name: its name.
        kind: `raw`, `seed` or `model`.
        columns: its columns, in its order.
        rows: the columns of other tables that decide what rows it has: by filters, joins, keys of groups, distinct.
        reads: the tables that it reads, and for a raw table the inputs.
        digest: a hash of what decides its rows.
    """

    name: str
    kind: str
    columns: Mapping[str, Column] = field(default_factory=dict)
    rows: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    digest: str = ""


@dataclass(frozen=True)
class Reader:
    """A page of the dashboard or a report, from dbt's exposures.

    Attributes:
        name: that of the exposure.
        kind: `page` or `report`.
        label: its name for people.
        reads: the tables that it reads.
    """

    name: str
    kind: str
    label: str
    reads: tuple[str, ...]


@dataclass(frozen=True)
class Reach:
    """What a column or table comes from, or what it reaches.

    Attributes:
        direct: columns whose values come from it, or from which its value comes.
        rows: upstream, the columns that decide the rows of its table; downstream, the tables whose rows it decides.
        readers: downstream, the pages and reports that read one of these columns or tables.
    """

    direct: tuple[str, ...]
    rows: tuple[str, ...]
    readers: tuple[str, ...] = ()


class Lineage:
    """The tables of one domain or of several, and what reads them."""

    def __init__(self, tables: Mapping[str, Table], readers: Mapping[str, Reader] | None = None) -> None:
        self.tables = tables
        self.readers = readers or {}

    @classmethod
    def merged(cls, lineages: Iterable["Lineage"]) -> "Lineage":
        """Return all of them as one; of a table that several have, the last one's."""
        tables: dict[str, Table] = {}
        readers: dict[str, Reader] = {}
        for lineage in lineages:
            tables |= lineage.tables
            readers |= lineage.readers
        return cls(tables, readers)

    def find(self, name: str) -> str:
        """Return the full name of a table or column; the schema may be left out if only one schema has it.

        Raises:
            UnknownNameError: nothing has the name, or several tables have.
        """
        names = {*self.tables, *self._columns}
        if name in names:
            return name
        found = sorted(
            each for each in names if each.endswith(f".{name}") and each.count(".") == name.count(".") + 1
        )
        if len(found) == 1:
            return found[0]
        if found:
            raise UnknownNameError(f"{name} is ambiguous: {', '.join(found)}")
        short = {each.partition(".")[2]: each for each in names}
        near = get_close_matches(name, names, 3) or [
            short[each] for each in get_close_matches(name, short, 3)
        ]
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise UnknownNameError(f"no table or column is called {name}{hint}")

    def column(self, name: str) -> Column:
        """Return a column; one without sources if it is of a table of another domain, which is not here."""
        return self._columns.get(name, Column())

    def targets(self, name: str) -> tuple[str, ...]:
        """Return the columns whose values come from a column in one step."""
        return _sorted(self._targets[name])

    def ancestors(self, table: str) -> set[str]:
        """Return the tables that a table comes from, over any number of steps."""
        return _closure([table], self._reads) - {table}

    def upstream(self, name: str) -> Reach:
        """Return what a column, or all columns of a table, come from."""
        start = self._start(name)
        rows: set[str] = set()
        for table in _closure([self.table_of(name)], self._reads):
            rows.update(self.tables[table].rows)
        return Reach(_sorted(_closure(start, self._sources) - start), _sorted(_closure(rows, self._sources)))

    def downstream(self, name: str) -> Reach:
        """Return what a column, or any column of a table, reaches."""
        start = self._start(name)
        values = _closure(start, self._targets)
        decided = {table for each in values for table in self._decides[each]}
        if name in self.tables:
            decided |= self._read_by[name]
        decided = _closure(decided, self._read_by) - {name}
        reached = {self.table_of(each) for each in values} | decided
        readers = sorted(each.name for each in self.readers.values() if not reached.isdisjoint(each.reads))
        return Reach(_sorted(values - start), _sorted(decided), tuple(readers))

    def inputs(self, name: str) -> tuple[str, ...]:
        """Return the landing files and APIs that a table or column comes from."""
        tables = {self.table_of(each) for each in (name, *self.upstream(name).direct)} | _closure(
            [self.table_of(name)], self._reads
        )
        return tuple(sorted({each for table in tables for each in self.tables[table].reads if "/" in each}))

    def table_of(self, name: str) -> str:
        """Return the table of a column, or the table itself."""
        return name if name in self.tables else name.rpartition(".")[0]

    def _start(self, name: str) -> set[str]:
        return {f"{name}.{column}" for column in self.tables[name].columns} if name in self.tables else {name}

    @cached_property
    def _columns(self) -> dict[str, Column]:
        return {
            f"{name}.{each}": column
            for name, table in self.tables.items()
            for each, column in table.columns.items()
        }

    @cached_property
    def _sources(self) -> dict[str, set[str]]:
        return defaultdict(set, {name: {*column.sources} for name, column in self._columns.items()})

    @cached_property
    def _targets(self) -> dict[str, set[str]]:
        return _reversed(self._sources)

    @cached_property
    def _decides(self) -> dict[str, set[str]]:
        return _reversed({name: {*table.rows} for name, table in self.tables.items()})

    @cached_property
    def _reads(self) -> dict[str, set[str]]:
        return {
            name: {each for each in table.reads if each in self.tables} for name, table in self.tables.items()
        }

    @cached_property
    def _read_by(self) -> dict[str, set[str]]:
        return _reversed(self._reads)


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names))


def _closure(start: Iterable[str], edges: Mapping[str, Iterable[str]]) -> set[str]:
    """Return what can be reached from some names, those included."""
    found: set[str] = set()
    left = list(start)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += edges.get(name, ())
    return found


def _reversed(edges: Mapping[str, Iterable[str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for name, others in edges.items():
        for other in others:
            found[other].add(name)
    return found
