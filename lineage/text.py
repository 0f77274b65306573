"""What a column or table comes from, or what it reaches, as text."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from textwrap import shorten

from lineage.graph import Lineage

# Of an expression beside a column; the page has more.
LENGTH = 100


def upstream_text(lineage: Lineage, name: str) -> str:
    """Return what a column or table comes from: a tree of columns, then what decides the rows, by table."""
    reach, inputs = lineage.upstream(name), lineage.inputs(name)
    return "\n".join(
        [
            *_tree(lineage, name, downstream=False),
            "rows are decided by",
            *(_by_table(lineage, reach.rows) or ["  nothing"]),
            "delivered by",
            *([f"  {each}" for each in inputs] or ["  nothing"]),
        ]
    )


def downstream_text(lineage: Lineage, name: str) -> str:
    """Return what a column or table reaches: a tree of columns, the tables whose rows it decides, pages and reports."""
    reach = lineage.downstream(name)
    readers = [lineage.readers[each] for each in reach.readers]
    return "\n".join(
        [
            *_tree(lineage, name, downstream=True),
            "decides the rows of",
            *([f"  {table}" for table in reach.rows] or ["  nothing"]),
            "pages and reports",
            *([f"  {each.label}" for each in readers] or ["  none"]),
        ]
    )


def _tree(lineage: Lineage, name: str, *, downstream: bool) -> Iterator[str]:
    table = lineage.tables.get(name)
    seen: set[str] = set()
    for column in [f"{name}.{each}" for each in table.columns] if table else [name]:
        yield _line(lineage, column)
        yield from _branches(lineage, column, 1, seen, downstream=downstream) or ["  nothing"]


def _branches(lineage: Lineage, name: str, depth: int, seen: set[str], *, downstream: bool) -> list[str]:
    lines = []
    for each in lineage.targets(name) if downstream else lineage.column(name).sources:
        if each in seen:
            # Its own branches are above.
            lines.append(f"{'  ' * depth}{each} …")
            continue
        seen.add(each)
        lines.append("  " * depth + _line(lineage, each))
        lines += _branches(lineage, each, depth + 1, seen, downstream=downstream)
    return lines


def _line(lineage: Lineage, column: str) -> str:
    expression = lineage.column(column).expression
    return f"{column} = {shorten(expression, LENGTH, placeholder='…')}" if expression else column


def _by_table(lineage: Lineage, columns: Iterable[str]) -> list[str]:
    found = defaultdict(list)
    for column in columns:
        found[lineage.table_of(column)].append(column.rpartition(".")[2])
    return [f"  {table}: {', '.join(names)}" for table, names in found.items()]
