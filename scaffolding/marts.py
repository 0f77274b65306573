"""The marts of a new domain: their names, and the columns of their contracts."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from scaffolding.column_types import description
from scaffolding.errors import ScaffoldingError
from scaffolding.model import INTEGERS, Column, Domain, Entity
from scaffolding.names import described, is_additive, singular

# YAML reads these words as other values than texts.
YAML_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
TYPES = {"text": "string", "word": "string", "code": "string", "double": "double precision"}


def yaml_name(name: str) -> str:
    """Return a name as YAML."""
    return json.dumps(name) if name in YAML_WORDS else name


@dataclass(frozen=True)
class MartColumn:
    """A column of a mart: its SQL, and its contract."""

    name: str
    sql: str
    type: str
    description: str
    is_required: bool = False
    is_total: bool = True
    refers_to: tuple[str, str] | None = None

    @property
    def options(self) -> str:
        """The rest of the contract in YAML."""
        options = "" if self.is_total else ", config: {meta: {exclude_from_totals: true}}"
        if self.is_required:
            options += ", constraints: [{type: not_null}]"
        if self.refers_to:
            mart, key = self.refers_to
            arguments = f"{{to: ref('{mart}'), field: {yaml_name(key)}}}"
            options += f", data_tests: [{{relationships: {{arguments: {arguments}}}}}]"
        return options


def name_marts(domain: Domain, taken: set[str]) -> None:
    taken = set(taken)
    for entity in domain.entities:
        is_fact = (entity.day or entity.measures()) and not domain.is_referenced(entity)
        entity.mart = _free_name("fct" if is_fact else "dim", domain.name, entity.name, "", taken)
        if entity.day:
            entity.month_mart = _free_name("agg", domain.name, entity.name, "_by_month", taken)


def _free_name(kind: str, domain: str, entity: str, ending: str, taken: set[str]) -> str:
    for name in (f"{kind}_{entity}{ending}", f"{kind}_{domain}_{entity}{ending}"):
        if name not in taken:
            taken.add(name)
            return name
    raise ScaffoldingError(
        f"there are models {kind}_{entity}{ending} and {kind}_{domain}_{entity}{ending} already; name the entity:"
        " --entity NAME=FILE"
    )


def mart_groups(entity: Entity, domain: Domain) -> list[list[MartColumn]]:
    one = singular(entity.name)
    keys = []
    if not entity.has_key:
        (key,) = mart_key(entity)
        sql = f"{{{{ surrogate_key(['_row_id']) }}}} as {key}"
        keys.append(
            MartColumn(key, sql, "bigint", "Key, a hash of where the row was delivered.", is_required=True)
        )
    if entity.day:
        day = entity.day.name
        sql = f"{{{{ date_key('{day}') }}}} as date_key"
        what = f"Day in dim_dates of {described(day)}."
        keys.append(
            MartColumn(
                "date_key", sql, "integer", what, is_required=True, refers_to=("dim_dates", "date_key")
            )
        )
    references = {reference.column: reference for reference in entity.references}
    additive = additive_measures(entity)
    groups = [keys]
    for group in column_groups(entity):
        columns = []
        for column in group:
            if column.is_personal and column.name not in entity.key:
                continue
            reference = references.get(column.name)
            columns.append(
                MartColumn(
                    column.name,
                    column.name,
                    _contract_type(column),
                    description(column, one),
                    is_required=column.name in entity.key or column is entity.day,
                    is_total=not column.is_number or column in additive,
                    refers_to=(domain.entity(reference.entity).mart, reference.key) if reference else None,
                )
            )
        groups.append(columns)
    if entity.has_key and len(groups) > 1:
        groups[:2] = [[*groups[1], *groups[0]]]
    return [group for group in groups if group]


def column_groups(entity: Entity) -> list[list[Column]]:
    """Return the columns in groups: keys, attributes, measures, times."""
    keys = {*entity.key, *(reference.column for reference in entity.references)}
    own = [column for column in entity.columns if column.name not in keys]
    groups = [
        [column for column in entity.columns if column.name in keys],
        [column for column in own if not column.is_number and not column.is_time],
        [column for column in own if column.is_number],
        [column for column in own if column.is_time],
    ]
    return [group for group in groups if group]


def mart_key(entity: Entity) -> tuple[str, ...]:
    if entity.has_key:
        return entity.key
    name = f"{singular(entity.name)}_key"
    taken = {column.name for column in entity.columns}
    return (f"{name}_of_row",) if name in taken else (name,)


def _contract_type(column: Column) -> str:
    if column.type == "decimal":
        return f'"decimal(18, {column.places})"'
    return TYPES.get(column.type, column.type)


def sum_of(column: Column) -> str:
    if column.type in INTEGERS:
        return f"cast(sum({column.name}) as bigint)"
    return f"cast(sum({column.name}) as decimal(18, {column.places}))"


def month_columns(entity: Entity) -> Iterator[MartColumn]:
    one = singular(entity.name)
    words = described(entity.name)
    day = described(entity.day.name) if entity.day else ""
    yield MartColumn(f"{one}_month", "", "date", f"First day of the month of {day}.", is_required=True)
    yield MartColumn(f"{one}_count", "", "bigint", f"Number of {words}.", is_required=True)
    for column in additive_measures(entity):
        of_type = "bigint" if column.type in INTEGERS else _contract_type(column)
        what = f"Sum of {described(column.name)}; null if no row has a value."
        yield MartColumn(f"total_{column.name}", "", of_type, what)


def additive_measures(entity: Entity) -> list[Column]:
    """Return the measures whose sum says something; sums of doubles differ between runs."""
    return [column for column in entity.measures() if column.type != "double" and is_additive(column.raw)]
