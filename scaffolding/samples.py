"""Some rows of a delivery for the unit test of a new domain."""

import re

import duckdb

from scaffolding.model import Column, Entity
from warehouse.sql import quoted

SAMPLES = 2
# Texts that need no escape anywhere in the YAML of a unit test, and that no staging model changes.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9.,:/@+_-]*( [A-Za-z0-9.,:/@+_-]+)*")


def find_samples(
    connection: duckdb.DuckDBPyConnection, delivered: str, table: str, entity: Entity
) -> list[dict[str, str | None]]:
    """Return some rows as delivered, and what the staging model makes of them, under names with a colon before."""
    names = [column for column in entity.columns if _PLAIN.fullmatch(column.raw)]
    selected = ", ".join(
        [f"d.{quoted(column.raw)}" for column in names] + [f"{_shown(column)}" for column in names]
    )
    rows = connection.execute(
        f"select {selected} from {delivered} as d join {table} as t using (_file, _row)"
        f" order by t._unreadable = '', _file, _row limit {SAMPLES}"
    ).fetchall()
    samples = []
    for row in rows:
        sample: dict[str, str | None] = {}
        for column, given, expected in zip(names, row, row[len(names) :], strict=False):
            kept = _is_kept(column, given)
            if kept and column.is_personal:
                kept = column.type in ("text", "word")
                given = expected = re.sub(r"[a-z]", "x", re.sub(r"[A-Z]", "X", re.sub(r"[0-9]", "0", given)))
            sample[column.raw] = given if kept else None
            sample[f":{column.name}"] = expected if kept else None
        samples.append(sample)
    return samples


def _shown(column: Column) -> str:
    return f"cast(t.{quoted(column.name)} as varchar)"


def _is_kept(column: Column, given: str | None) -> bool:
    if given is None or len(given) > 60 or not _PLAIN.fullmatch(given):
        return False
    if column.is_time and ("." in given.split(" ")[-1] or re.search(r"[zZ]|[+-][0-9:]{2,5}$", given[10:])):
        return False
    # Doubles are written differently by each engine.
    return column.type != "double"
