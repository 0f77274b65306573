"""Finds out what delivered files hold: entities, columns with types, keys, relations."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import yaml

from common.text import printable
from scaffolding.column_types import cleaned, infer_type, typed
from scaffolding.delivered_files import check_form, read_names, read_rows
from scaffolding.entities import group_files
from scaffolding.errors import ScaffoldingError
from scaffolding.keys import conflicting, find_key, find_order, find_references
from scaffolding.model import Domain, Entity
from scaffolding.names import counted, go
from scaffolding.samples import find_samples
from settings import DBT_PROJECT_DIR
from settings.file_limits import FileLimits
from warehouse.sql import in_memory_duckdb, literal, quoted


def profile(
    domain: str,
    files: Sequence[Path],
    names: Mapping[str, str] | None = None,
    header: Sequence[str] = (),
) -> Domain:
    """Find out what files hold.

    Args:
        domain: the domain's name.
        files: the delivered files.
        names: the entities of files that are named; by the file as given.
        header: the names of the columns of text files without a header line.

    Raises:
        ScaffoldingError: a file cannot be loaded, or its entity cannot be named.
    """
    limits = FileLimits()
    for path in files:
        check_form(path)
    entities = group_files(files, names or {}, limits, header)
    profiled = Domain(domain, entities)
    with TemporaryDirectory() as folder, closing(in_memory_duckdb(Path(folder))) as connection:
        connection.execute("set TimeZone = 'UTC'")
        tables = {}
        for number, entity in enumerate(entities):
            tables[entity.name] = f"typed_{number}"
            _read(connection, entity, number, limits, Path(folder), profiled.doubts, header)
        profiled.doubts += find_references(connection, tables, entities)
        for entity in entities:
            # A dimension keeps members without a date, because other rows refer to them.
            if not profiled.is_referenced(entity):
                profiled.doubts += _find_day(connection, tables[entity.name], entity)
        for entity in entities:
            failing = f"select count(*) from {tables[entity.name]} where {_failing(tables, entity, profiled)}"
            (entity.failing,) = connection.execute(failing).fetchone()
    # What is referred to is loaded first, as people read it.
    profiled.entities = sorted(entities, key=lambda entity: not profiled.is_referenced(entity))
    return profiled


def null_words() -> list[str]:
    """Return the words that mean that a value is absent."""
    return yaml.safe_load((DBT_PROJECT_DIR / "dbt_project.yml").read_text())["vars"]["null_words"]


def _read(
    connection: duckdb.DuckDBPyConnection,
    entity: Entity,
    number: int,
    limits: FileLimits,
    folder: Path,
    doubts: list[str],
    header: Sequence[str],
) -> None:
    """Read an entity's files into a table of typed rows, and find types and key."""
    parquets = []
    for position, path in enumerate(entity.files):
        work = folder / f"{number}_{position}"
        work.mkdir()
        parsed = read_rows(path, entity.format, [*read_names(path, entity.format, limits)], limits, work)
        parquets.append(parsed.parquet)
        entity.rows += parsed.rows
        entity.rejected += parsed.rows_rejected
        if parsed.rows_rejected:
            first = parsed.rejected[0]
            doubts.append(
                f"{counted(parsed.rows_rejected, 'line')} of {printable(path.name)} cannot be split into columns:"
                f" rejected, the first is line {first.line_number}: {first.reason}"
            )
    if entity.format.header and not header:
        doubts.append(
            f"`{entity.name}`: the first line is no header, but data; --header NAME,NAME,… names the columns, here and in further files"
        )
    if not entity.rows:
        raise ScaffoldingError(
            f"{', '.join(printable(path.name) for path in entity.files)}: no row but the header, so the types are unknown"
        )
    words = null_words()
    delivered, table = f"delivered_{number}", f"typed_{number}"
    columns = ", ".join(f"{cleaned(column.raw, words)} as {quoted(column.raw)}" for column in entity.columns)
    listed = ", ".join(literal(path) for path in parquets)
    connection.execute(
        f"create table {delivered} as select {columns}, _source_file as _file, _source_row as _row"
        f" from read_parquet([{listed}], union_by_name = true)"
    )
    for column in entity.columns:
        doubts += infer_type(connection, delivered, column, entity.name)
    values = ", ".join(f"{typed(column)} as {quoted(column.name)}" for column in entity.columns)
    unreadable = " || ".join(
        f"case when {quoted(column.raw)} is not null and ({typed(column)}) is null then ',{column.name},' else '' end"
        for column in entity.columns
        if column.is_checked
    )
    connection.execute(
        f"create table {table} as select {values}, {unreadable or literal('')} as _unreadable, _file, _row from {delivered}"
    )
    find_order(entity)
    doubts += find_key(connection, table, entity)
    entity.samples = find_samples(connection, delivered, table, entity)
    if personal := [column.name for column in entity.columns if column.is_personal]:
        doubts.append(
            f"`{entity.name}`: {', '.join(personal)} may tell about persons: not in the marts, nor in examples of bad rows"
            + (" (but for the key)" if {*personal} & {*entity.key} else "")
        )


def _find_day(connection: duckdb.DuckDBPyConnection, table: str, entity: Entity) -> list[str]:
    """Choose the column by which rows are counted per month."""
    candidates = [
        column
        for column in entity.columns
        if column.is_time and not column.is_personal and column.name not in entity.order_by
    ]
    doubts = []
    for column in candidates:
        name = quoted(column.name)
        (inside,) = connection.execute(
            f"select count(*) from {table} where {name} is not null and cast({name} as date) between {_calendar()}"
        ).fetchone()
        lacking = entity.rows - column.present
        beyond = column.present - column.unreadable - inside
        if lacking <= entity.rows * 0.02 and beyond <= entity.rows * 0.02:
            entity.day = column
            if lacking:
                doubts.append(
                    f"{counted(lacking, 'row')} of `{entity.name}` without {column.name}: {go(lacking)} to quarantine"
                )
            if beyond:
                doubts.append(
                    f"{counted(beyond, 'row')} of `{entity.name}` with a {column.name} beyond the calendar ({_calendar()}):"
                    f" {go(beyond)} to quarantine"
                )
            break
    return doubts


def _calendar() -> str:
    variables = yaml.safe_load((DBT_PROJECT_DIR / "dbt_project.yml").read_text())["vars"]
    return f"date '{variables['calendar_from']}' and date '{variables['calendar_until']}'"


def _failing(tables: dict[str, str], entity: Entity, domain: Domain) -> str:
    """Return SQL for the rows that fail a rule; a row also does that refers to one that fails."""
    conditions = ["_unreadable <> ''"]
    conditions += [f"{quoted(name)} is null" for name in entity.key if entity.has_key]
    if entity.day:
        name = quoted(entity.day.name)
        conditions.append(f"{name} is null or cast({name} as date) not between {_calendar()}")
    if entity.has_key and not entity.has_versions:
        keys = ", ".join(map(quoted, entity.key))
        conditions.append(f"({keys}, _file) in ({conflicting(entity, tables[entity.name])})")
    for reference in entity.references:
        failing = _failing(tables, domain.entity(reference.entity), domain)
        valid = f"select {quoted(reference.key)} from {tables[reference.entity]} where not ({failing})"
        conditions.append(f"{quoted(reference.column)} not in ({valid})")
    return " or ".join(f"coalesce({each}, false)" for each in conditions)
