"""What a change of the models does to columns: which are added, changed and removed, and what these reach."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lineage.graph import MODEL, Column, Lineage, Table
from lineage.models import table_name
from publishing.comparison import as_table
from publishing.marts import SCHEMA
from transformation.manifest import Manifest

REMOVED, CHANGED, ROWS, ADDED = "removed", "changed", "rows changed", "added"
ORDER = (REMOVED, CHANGED, ROWS, ADDED)
PUBLISHED = f"{SCHEMA}."
Types = tuple[Mapping[str, str], Mapping[str, str]]
# Names in a cell of the table.
MAX_NAMES = 8


@dataclass(frozen=True)
class ColumnChange:
    """A column that a change of the models adds, changes or removes, or a table whose rows are decided otherwise.

    Attributes:
        name: the column, or the table.
        kind: `removed`, `changed`, `rows changed` or `added`.
        before: its definition; for a contract, its type.
        after: the same after the change; for a removed column the one that has its definition now.
        breaks: readers of a published column lose it, or find another type.
        published: the published tables whose rows it decides, and the published columns of others that it reaches.
        readers: the pages and reports that it reaches, by their names for people.
    """

    name: str
    kind: str
    before: str
    after: str
    breaks: bool
    published: tuple[str, ...]
    readers: tuple[str, ...]


def changes(old: Lineage, new: Lineage, types: Types, reach: Lineage) -> tuple[ColumnChange, ...]:
    """Return the changed columns, those that break a contract first.

    Args:
        old: the lineage before the change.
        new: that after it.
        types: the types that the contracts give published columns, before and after, by the column's name.
        reach: the lineage in which what a change reaches is looked up; may have the tables of other domains.
    """
    found = []
    for name in sorted({*old.tables, *new.tables}):
        before, after = old.tables.get(name), new.tables.get(name)
        if MODEL in (before.kind if before else "", after.kind if after else ""):
            found += [_with_reach(reach, *each) for each in _of_table(name, before, after, types)]
    return tuple(sorted(found, key=lambda each: (not each.breaks, ORDER.index(each.kind), each.name)))


def _of_table(
    name: str, before: Table | None, after: Table | None, types: Types
) -> Iterator[tuple[str, str, str, str, bool]]:
    """Return name, kind, both definitions and whether a contract breaks, of all that differs in a table."""
    is_published = name.startswith(PUBLISHED)
    if after is None or before is None:
        yield name, ADDED if before is None else REMOVED, "", "", is_published and after is None
        return
    added = {each.digest: column for column, each in after.columns.items() if column not in before.columns}
    for column, old in before.columns.items():
        full, new = f"{name}.{column}", after.columns.get(column)
        old_type, new_type = (each.get(full) for each in types)
        if new is None:
            renamed = f"now {added[old.digest]}" if old.digest in added else ""
            yield full, REMOVED, _definition(old), renamed, is_published
        elif old_type and new_type and old_type != new_type:
            yield (
                full,
                CHANGED,
                f"{_definition(old)}: {old_type}",
                f"{_definition(new)}: {new_type}",
                is_published,
            )
        elif new.digest != old.digest:
            yield full, CHANGED, _definition(old), _definition(new), False
    for column, new in after.columns.items():
        if column not in before.columns:
            yield f"{name}.{column}", ADDED, "", _definition(new), False
    if before.digest != after.digest:
        yield name, ROWS, "", "", False


def _with_reach(reach: Lineage, name: str, kind: str, before: str, after: str, breaks: bool) -> ColumnChange:
    published: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    if kind != ADDED:
        found = reach.downstream(name)
        tables = {name, *found.rows} & reach.tables.keys()
        columns = {each for each in (name, *found.direct) if reach.table_of(each) not in tables}
        published = tuple(sorted(each for each in tables | columns if each.startswith(PUBLISHED)))
        readers = tuple(reach.readers[each].label for each in found.readers)
    return ColumnChange(name, kind, before, after, breaks, published, readers)


def _definition(column: Column) -> str:
    return column.expression or ", ".join(column.sources)


def contract_types(manifest: Manifest) -> dict[str, str]:
    """Return the types that contracts give columns, by the names of the columns."""
    return {
        f"{table_name(node)}.{column}": values["data_type"]
        for node in manifest.nodes.values()
        if node["resource_type"] == MODEL and (node["config"].get("contract") or {}).get("enforced")
        for column, values in node["columns"].items()
        if values.get("data_type")
    }


def changes_markdown(found: tuple[ColumnChange, ...]) -> str:
    """Return the changes as Markdown, the breaking ones in a table of their own; empty without changes."""
    parts = []
    for title, some in (
        ("Breaking changes of a contract", [each for each in found if each.breaks]),
        ("Changed columns", [each for each in found if not each.breaks]),
    ):
        if some:
            rows = [
                [
                    f"`{each.name}`",
                    each.kind,
                    _code(each.before),
                    each.after if each.after.startswith("now ") else _code(each.after),
                    _names(each.published),
                    _names(each.readers),
                ]
                for each in some
            ]
            header = [
                "column",
                "change",
                "before",
                "after",
                "published columns and tables",
                "pages and reports",
            ]
            parts.append(f"### {title}\n\n{as_table(header, rows)}")
    return "\n\n".join(parts)


def _code(text: str) -> str:
    # A bar would end the cell.
    return f"`{text}`".replace("|", "\\|") if text else ""


def _names(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:MAX_NAMES])
    return f"{shown} and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else shown
