"""What identifies a row, and which columns refer to other entities."""

from itertools import combinations

import duckdb

from scaffolding.model import ROW_ID, Column, Entity, Reference
from scaffolding.names import counted, go, is_identifier, is_position, says_change, singular
from warehouse.sql import quoted

# With fewer rows nearly every column is unique by chance; only names of identifiers count then.
ROWS_TO_GUESS = 20
# A named identifier is the key even if some rows of a file repeat it or lack it.
NEARLY = 0.9
CONTAINED = 0.95
MOST_COLUMNS = 10
LONGEST = 3


def find_key(connection: duckdb.DuckDBPyConnection, table: str, entity: Entity) -> list[str]:
    """Find the columns that identify a row; return what is doubtful about them.

    Args:
        connection: a database with the typed rows.
        table: the table.
        entity: the entity; its key is set.
    """
    entity.key = _key(connection, table, entity)
    if not entity.has_key:
        return [f"`{entity.name}` has no column that is unique and always there: every row counts as it is"]
    shown = ", ".join(entity.key)
    doubts = []
    if not any(map(is_identifier, entity.key)):
        doubts.append(
            f"`{entity.name}`: {shown} is taken for the key, because it is unique in {entity.rows:,} rows"
        )
    return doubts + _repeats(connection, table, entity)


def _key(connection: duckdb.DuckDBPyConnection, table: str, entity: Entity) -> tuple[str, ...]:
    named = _named(entity)
    for column in named:
        per_file = connection.execute(
            f"select count(*), sum(n) from (select count(*) as n from {table} where {quoted(column.name)} is not null"
            f" group by {quoted(column.name)}, _file)"
        ).fetchone()
        if column.present >= entity.rows * NEARLY and per_file[0] >= per_file[1] * NEARLY:
            return (column.name,)
    guessed = [column for column in entity.columns if _may_identify(column) and column not in named]
    single = sorted(guessed, key=lambda column: not is_identifier(column.raw))
    for column in single:
        enough = entity.rows >= ROWS_TO_GUESS or is_identifier(column.raw)
        if enough and not is_position(column.raw) and column.distinct == entity.rows:
            return (column.name,)
    if entity.rows < ROWS_TO_GUESS:
        return (ROW_ID,)
    whole = [column for column in [*named, *single] if column.present - column.unreadable == entity.rows]
    by_kind = sorted(whole, key=lambda column: (not is_identifier(column.raw), not is_position(column.raw)))
    for size in range(2, LONGEST + 1):
        for columns in combinations(by_kind[:MOST_COLUMNS], size):
            names = ", ".join(quoted(column.name) for column in columns)
            (count,) = connection.execute(
                f"select count(*) from (select distinct {names} from {table})"
            ).fetchone()
            if count == entity.rows:
                chosen = {column.name for column in columns}
                return tuple(column.name for column in entity.columns if column.name in chosen)
    return (ROW_ID,)


def _named(entity: Entity) -> list[Column]:
    """Return the columns whose names say that they identify the entity."""
    one = singular(entity.name)
    names = [
        "id",
        f"{one}_id",
        f"{entity.name}_id",
        *(f"{one}_{end}" for end in ("code", "no", "number", "key", "nr")),
    ]
    names += ["uuid", "guid", "key", "code", "number", "sku"]
    found = {column.raw: column for column in entity.columns}
    first = entity.columns[0]
    if is_identifier(first.raw) and entity.rows >= ROWS_TO_GUESS:
        names.append(first.raw)
    return [found[name] for name in dict.fromkeys(names) if name in found]


def _may_identify(column: Column) -> bool:
    if column.type in ("integer", "bigint"):
        return is_identifier(column.raw) or is_position(column.raw)
    return not column.is_number and not column.is_flag and not column.is_nested


def _repeats(connection: duckdb.DuckDBPyConnection, table: str, entity: Entity) -> list[str]:
    names = ", ".join(map(quoted, entity.key))
    present = " and ".join(f"{quoted(name)} is not null" for name in entity.key)
    rows, keys, absent = connection.execute(
        f"select count(*) filter ({present}), (select count(*) from (select distinct {names} from {table} where {present})),"
        f" count(*) filter (not ({present})) from {table}"
    ).fetchone()
    shown = ", ".join(f"`{entity.name}.{name}`" for name in entity.key)
    doubts = []
    if rows > keys:
        newest = "the row with the latest " + entity.order_by[0] if entity.order_by else "the newest row"
        doubts.append(f"{shown} repeats {counted(rows - keys, 'time')}: {newest} counts")
    conflicts = count_conflicts(connection, table, entity)
    entity.has_versions = bool(conflicts and entity.order_by)
    if conflicts and not entity.has_versions:
        doubts.append(
            f"{counted(conflicts, 'row')} of `{entity.name}` with the {', '.join(entity.key)} of another row of the file, but"
            " other values: they go to quarantine"
        )
    if absent:
        doubts.append(
            f"{counted(absent, 'row')} of `{entity.name}` without {', '.join(entity.key)}: {go(absent)} to quarantine"
        )
    return doubts


def conflicting(entity: Entity, table: str) -> str:
    """Return SQL for the keys and files of rows that differ although they have one key in one file."""
    names = ", ".join(map(quoted, entity.key))
    columns = ", ".join(quoted(column.name) for column in entity.columns)
    return (
        f"select {names}, _file from (select distinct {columns}, _unreadable, _file from {table})"
        f" group by {names}, _file having count(*) > 1"
    )


def count_conflicts(connection: duckdb.DuckDBPyConnection, table: str, entity: Entity) -> int:
    names = ", ".join(map(quoted, entity.key))
    present = " and ".join(f"{quoted(name)} is not null" for name in entity.key)
    (count,) = connection.execute(
        f"select count(*) from {table} where {present} and ({names}, _file) in ({conflicting(entity, table)})"
    ).fetchone()
    return count


def find_order(entity: Entity) -> None:
    """Find the column that says which of several rows with one key is the newest."""
    changes = [column.name for column in entity.columns if column.is_time and says_change(column.raw)]
    entity.order_by = tuple(changes[:1])


def find_references(
    connection: duckdb.DuckDBPyConnection, tables: dict[str, str], entities: list[Entity]
) -> list[str]:
    """Find the columns that refer to another entity's key; return what is doubtful about them.

    Args:
        connection: a database with the typed rows of all entities.
        tables: the table of each entity.
        entities: the entities, whose references are set.
    """
    doubts = []
    for entity in entities:
        for target in entities:
            if (
                target is entity
                or len(target.key) != 1
                or not target.has_key
                or _refers(target, entity, entities)
            ):
                continue
            key = target.column(target.key[0])
            for column in entity.columns:
                same_type = column.is_number == key.is_number and column.is_time == key.is_time
                if not same_type or not column.present or not _is_name_of(column.raw, target, key):
                    continue
                if entity.key == (column.name,):
                    continue
                matched, present = _contained(connection, tables, entity, column, target, key)
                if not present or matched < present * CONTAINED:
                    continue
                reference = Reference(column.name, target.name, key.name, matched / present)
                taken = {each.name for each in entity.columns} | {each.flag for each in entity.references}
                if reference.flag in taken:
                    continue
                entity.references.append(reference)
                if matched < present:
                    doubts.append(
                        f"{counted(present - matched, 'row')} of `{entity.name}` with a {column.name} that `{target.name}` lacks:"
                        f" {go(present - matched)} to quarantine"
                    )
    return doubts


def _refers(entity: Entity, other: Entity, entities: list[Entity]) -> bool:
    """Whether an entity refers to another one, also by way of others: the models must not be a cycle."""
    direct = {reference.entity for reference in entity.references}
    return other.name in direct or any(
        _refers(between, other, entities) for between in entities if between.name in direct
    )


def _is_name_of(name: str, target: Entity, key: Column) -> bool:
    one = singular(target.name)
    if key.raw in ("id", "key", "code", "uuid", "number"):
        return name in (f"{one}_{key.raw}", f"{target.name}_{key.raw}", one) or name.endswith(
            f"_{one}_{key.raw}"
        )
    return name in (key.raw, one) or name.endswith(f"_{key.raw}")


def _contained(
    connection: duckdb.DuckDBPyConnection,
    tables: dict[str, str],
    entity: Entity,
    column: Column,
    target: Entity,
    key: Column,
) -> tuple[int, int]:
    name = quoted(column.name)
    return connection.execute(
        f"select count(*) filter ({name} in (select {quoted(key.name)} from {tables[target.name]}"
        f" where {quoted(key.name)} is not null)), count(*) from {tables[entity.name]} where {name} is not null"
    ).fetchone()
