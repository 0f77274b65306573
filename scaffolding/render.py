"""Makes the files of a new domain from what is known about its delivered files."""

import json
import math
from collections.abc import Iterator
from typing import Any

from jinja2 import Environment

from scaffolding.column_types import description
from scaffolding.marts import (
    additive_measures,
    mart_groups,
    mart_key,
    month_columns,
    name_marts,
    sum_of,
    yaml_name,
)
from scaffolding.model import Column, Domain, Entity
from scaffolding.names import described, singular
from scaffolding.template import template_environment

MODELS = "dbt_project/models"
# Up to this share in quarantine a domain needs no limit of its own.
DEFAULT_LIMIT = 0.05
# As in pyproject.toml.
LINE_LENGTH = 110
CALENDAR = "cast('{{ var('calendar_from') }}' as date) and cast('{{ var('calendar_until') }}' as date)"


def render(domain: Domain, taken: set[str]) -> dict[str, str]:
    """Return the content of each file of a domain that its owners edit, by its path in the project.

    Args:
        domain: the domain; the names of its marts are set.
        taken: the names of all models.

    Raises:
        ScaffoldingError: a model of the name that a mart would have exists already.
    """
    name_marts(domain, taken)
    environment = _environment(domain)
    clean, marts = f"{MODELS}/clean/{domain.name}", f"{MODELS}/marts/{domain.name}"

    def text(template: str, **values: Any) -> str:
        return environment.get_template(f"{template}.j2").render(domain=domain, **values)

    constants = ", ".join(entity.name.upper() for entity in domain.entities)
    files = {
        f"ingestion/sources/{domain.name}.py": text(
            "source.py", constants=constants + ("," if len(domain.entities) == 1 else "")
        ),
        f"dags/{domain.name}.py": text("dag.py"),
        f"{clean}/_{domain.name}__models.yml": text("clean_models.yml"),
        f"{marts}/_{domain.name}__models.yml": text(
            "marts_models.yml",
            title=_title(domain),
            owner=owner(domain),
            limit=quarantine_limit(domain),
            share=f"{domain.failing_share:.1%}",
        ),
    }
    if domain.configuration:
        files[f"ingestion/sources/{domain.name}.yml"] = domain.configuration
    for entity in domain.entities:
        files[f"{clean}/stg_{domain.name}__{entity.name}.sql"] = text("stg.sql", entity=entity)
        groups = [[column.sql for column in group] for group in mart_groups(entity, domain)]
        cte = _other_than(entity.name, "facts" if entity.mart.startswith("fct_") else "members")
        files[f"{marts}/{entity.mart}.sql"] = text("mart.sql", entity=entity, groups=groups, cte=cte)
        if entity.month_mart:
            sums = {f"total_{column.name}": column for column in additive_measures(entity)}
            files[f"{marts}/{entity.month_mart}.sql"] = text(
                "month_mart.sql",
                entity=entity,
                cte=_other_than(entity.name, "months"),
                one=singular(entity.name),
                sums={name: sum_of(column) for name, column in sums.items()},
            )
    return files


def owner(domain: Domain) -> str:
    """Return who owns a domain."""
    return f"{_title(domain)} team"


def quarantine_limit(domain: Domain) -> float | None:
    """Return the share in quarantine up to which a domain is published; None if the default fits its files."""
    share = domain.failing_share
    # Half as much again as the first delivery has, in steps of 5 %.
    return min(math.ceil(share * 30) / 20, 1.0) if share > DEFAULT_LIMIT * 0.8 else None


def _title(domain: Domain) -> str:
    return described(domain.name).capitalize()


def _other_than(entity: str, name: str) -> str:
    """Return a name for a part of a query that reads a part with the entity's name."""
    return f"{name}_of_mart" if name == entity else name


def _environment(domain: Domain) -> Environment:
    environment = template_environment()
    environment.filters["yaml_name"] = yaml_name
    environment.globals |= {
        "described": described,
        "description": description,
        "expected": _expected,
        "given": _given,
        "mart_columns": lambda entity: [column for group in mart_groups(entity, domain) for column in group],
        "mart_key": mart_key,
        "month_columns": month_columns,
        "python_names": _python_names,
        "python": lambda text: json.dumps(text, ensure_ascii=False),
        "rules": _rules,
        "seen": _seen,
        "shown_columns": _shown_columns,
        "singular": singular,
        "staged": _staged,
    }
    return environment


def _python_names(names: tuple[str, ...]) -> str:
    """Return a tuple of names as ruff formats it: in one line if it fits."""
    written = ", ".join(json.dumps(name, ensure_ascii=False) for name in names)
    line = f"({written},)" if len(names) == 1 else f"({written})"
    if len(f"    optional={line},") <= LINE_LENGTH:
        return line
    return "(\n" + "".join(f"        {json.dumps(name, ensure_ascii=False)},\n" for name in names) + "    )"


def _staged(column: Column) -> str:
    options = [f"'type': '{column.type}'"]
    if column.type == "decimal":
        options.append(f"'places': {column.places}")
    if column.is_flag:
        options.append("'case': 'lower'")
    options += [f"'{name}': {value!r}" for name, value in column.number_format.items()]
    if column.layouts:
        options.append(f"'layouts': {list(column.layouts)}")
    if column.name != column.raw:
        options.append(f"'source': adapter.quote('{column.raw}')")
    return ", ".join(options)


def _rules(entity: Entity) -> Iterator[dict[str, str]]:
    one = described(singular(entity.name))
    required = list(entity.key) if entity.has_key else []
    if entity.day and entity.day.name not in required:
        required.append(entity.day.name)
    for name in required:
        yield {
            "name": f"{name}_is_present",
            "requires": name,
            "expression": "",
            "description": f"The {one} has a value of {described(name)}.",
        }
    if entity.day:
        name = entity.day.name
        day = name if entity.day.type == "date" else f"cast({name} as date)"
        yield {
            "name": f"{name}_is_in_the_calendar",
            "requires": "",
            "expression": f"{name} is null or {day} between {CALENDAR}",
            "description": "dim_dates has the day.",
        }
    for reference in entity.references:
        yield {
            "name": reference.flag,
            "requires": "",
            "expression": f"{reference.column} is null or {reference.flag}",
            "description": f"A valid row of {described(reference.entity)} has this {described(reference.column)}.",
        }
    if not entity.has_key and not entity.day and not entity.references:
        values = " or ".join(f"{column.name} is not null" for column in entity.columns)
        yield {
            "name": "a_value_is_present",
            "requires": "",
            "expression": f"{values} or _unreadable <> ''",
            "description": f"The {one} has a value.",
        }


def _seen(column: Column, entity: Entity) -> str:
    """Return a YAML comment with what the first delivery has in a column."""
    parts = []
    if column.is_personal:
        return ""
    if column.least:
        parts.append(
            column.least if column.least == column.greatest else f"{column.least} to {column.greatest}"
        )
    if not column.is_number:
        parts.append(f"{column.distinct:,} different")
    if absent := entity.rows - column.present:
        parts.append(f"absent in {absent:,} of {entity.rows:,} rows")
    return f"  # {', '.join(parts)}" if parts else ""


def _shown_columns(entity: Entity) -> list[str]:
    """Return the raw columns that examples of bad rows may show; none if they may show all."""
    if not any(column.is_personal for column in entity.columns):
        return []
    shown = [column.raw for column in entity.columns if not column.is_personal and column.name == column.raw]
    return shown or ["_dlt_load_id"]


def _given(entity: Entity) -> Iterator[str]:
    for number, sample in enumerate(entity.samples, start=1):
        values = {raw: value for raw, value in sample.items() if not raw.startswith(":")}
        yield _flow(number, values)


def _expected(entity: Entity) -> Iterator[str]:
    for number, sample in enumerate(entity.samples, start=1):
        values = {
            column.name: sample.get(f":{column.name}")
            for column in entity.columns
            if f":{column.name}" in sample
        }
        unreadable = [
            f",{column.name},"
            for column in entity.columns
            if column.is_checked and sample.get(column.raw) is not None and sample[f":{column.name}"] is None
        ]
        yield _flow(number, values | {"_unreadable": "".join(unreadable)})


def _flow(number: int, values: dict[str, str | None]) -> str:
    written = [f"_row_id: r{number}"]
    written += [
        f"{yaml_name(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in values.items()
    ]
    return f"{{{', '.join(written)}}}"
