"""Drop raw columns that are not declared, such as those of a first try with a wrong header."""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ingestion.api.api_resource import ApiResource
from ingestion.files.file_resource import FileResource
from ingestion.registry import resources_of
from settings import Settings
from warehouse.sql import quoted

if TYPE_CHECKING:
    from ingestion.loader.loader import Loader


class DropColumnsError(ValueError):
    """A column cannot be dropped, and none was; the message says why."""


def drop_columns(
    domain: str,
    wanted: Sequence[str],
    settings: Settings,
    *,
    force: bool = False,
    views: Callable[[str], Collection[str]] = lambda entity: (),
) -> list[str]:
    """Drop columns of a domain's raw tables, which no declaration has and whose rows have no value there.

    Args:
        domain: the pipeline.
        wanted: `ENTITY.COLUMN`, or `ENTITY` for each column of the entity that is not declared, has no value, and is in
            no file that is loaded.
        settings: the data folder and environment.
        force: also drop columns that are named and have values.
        views: returns the views that show all columns of an entity's raw table and that the next build creates again.

    Returns:
        The columns that were dropped, as `ENTITY.COLUMN`.

    Raises:
        UnknownDomainError: there is no such domain.
        DropColumnsError: there is no such column, it is declared, or it has values.
        WarehouseError: the engine does not drop it, for example because a view of somebody's reads it.
        WarehouseBusyError: another process kept the warehouse.
    """
    from ingestion.loader.loader import Loader

    columns: dict[str, list[str]] = {}
    for name in wanted:
        entity, _, column = name.partition(".")
        columns.setdefault(entity, []).append(column)
    resources = [each for each in resources_of(domain) if isinstance(each, FileResource | ApiResource)]
    by_entity = {each.entity: each for each in resources}
    if unknown := columns.keys() - by_entity.keys():
        raise DropColumnsError(
            f"{domain} has no entity {', '.join(sorted(unknown))}; there are: {', '.join(by_entity)}"
        )
    chosen = {}
    for entity, named in columns.items():
        own = [each for each in resources if each.entity == entity]
        declared = [column for each in own for column in (*each.columns, *each.optional)]
        with Loader.open(by_entity[entity], settings) as loader:
            chosen[entity] = _choose(loader, entity, named, declared, force=force)
    # Not before all are checked.
    for entity, names in chosen.items():
        with Loader.open(by_entity[entity], settings) as loader:
            _drop(loader, entity, names, views(entity))
    return [f"{entity}.{name}" for entity, names in chosen.items() for name in names]


def _choose(
    loader: "Loader", entity: str, named: Sequence[str], declared: Collection[str], *, force: bool
) -> list[str]:
    """Return which columns of an entity to drop."""
    known = {loader.normalize_column_name(column) for column in declared}
    undeclared = [name for name in loader.columns() if name not in known and not name.startswith("_")]
    filled = _count_values(loader, entity, undeclared)
    loads = loader.file_loads(entity, "loaded")
    delivered = {name for row in loads for name in (row["extra_columns"] or "").split(", ")}
    chosen = [name for name in undeclared if "" in named and not filled[name] and name not in delivered]
    for name in filter(None, named):
        if name in known:
            raise DropColumnsError(f"{entity}.{name} is declared; take it out of the declaration first")
        if name not in undeclared:
            there = ", ".join(undeclared) or "none"
            raise DropColumnsError(f"{entity} has no column {name} to drop; not declared are: {there}")
        if filled[name] and not force:
            raise DropColumnsError(
                f"{entity}.{name} has values in {filled[name]:,} rows; --force-drop drops them"
            )
        chosen.append(name)
    return list(dict.fromkeys(chosen))


def _count_values(loader: "Loader", entity: str, columns: Sequence[str]) -> dict[str, int]:
    """Return for each column the number of rows that have a value there; blank texts are none."""
    counts = [f"count(nullif(trim({quoted(name)}), ''))" for name in columns]
    query = f"select {', '.join(['1', *counts])} from {loader.schema}.{entity}"
    return dict(zip(columns, loader.warehouse.execute(query).fetchone()[1:], strict=True))


def _drop(loader: "Loader", entity: str, columns: Sequence[str], views: Collection[str]) -> None:
    """Drop columns in dlt's schema and then in the warehouse; after a kill between the two it is repeated."""
    # dlt has no call for it, and would load what its schema has.
    schema = loader.pipeline.default_schema
    table = schema.tables[entity]
    for name in columns:
        table["columns"].pop(name, None)
    # Otherwise it may equal an earlier one, and dlt would not store it again as the newest.
    table["x-columns-dropped-at"] = datetime.now(UTC).isoformat()  # type: ignore[typeddict-unknown-key]
    loader.pipeline.schemas.save_schema(schema)
    loader.pipeline.sync_schema()
    loader.warehouse.drop_columns(loader.schema, entity, columns, views)
    staging = f"{loader.schema}_staging"
    left = [name for name in loader.warehouse.columns(staging, entity) if name in columns]
    loader.warehouse.drop_columns(staging, entity, left, ())
