"""What of a domain's run has new input: only these models and tests are built and run.

A node is up to date if its table was built, or its test passed, with the fingerprint that it has now, and nothing has
built or tested it since. The warehouse knows that in `dbt_state.nodes`: every dbt command first takes the fingerprints
of its nodes away (`macros/state/begin_nodes.sql`), and a run whose tests have all passed writes those of its own nodes.
So what failed, was interrupted, or was built by hand has no fingerprint, and is built again with all that reads it.

A fingerprint is written only if nothing was loaded and no file of the project changed since it was computed. On Spark
there is no such table, since its tables cannot be updated; everything is built there.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import uuid4

from pydantic import TypeAdapter

from settings import Settings
from transformation.dbt import ensure_manifest, project_state
from transformation.fingerprints import (
    LOADS,
    combined,
    entity_id,
    fingerprints,
    nodes_of_run,
    sources_of,
)
from transformation.manifest import Manifest, read_manifest
from warehouse import Warehouse, connect, literal, quoted, read_connection, warehouse_exists

SCHEMA, TABLE = "dbt_state", "nodes"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Changes:
    """What a run of a domain builds and tests.

    Attributes:
        models: names of the models and seeds to build.
        tests: names of the data tests to run.
        unchanged: ids of the models and seeds that have no new input.
        everything: whether nothing is left out.
        marts: the fingerprint of all that the domain publishes.
        stamp: a hash of all that this was found from.
    """

    models: tuple[str, ...]
    tests: tuple[str, ...]
    unchanged: tuple[str, ...]
    everything: bool
    marts: str
    stamp: str

    def __str__(self) -> str:
        if not self.any:
            return "no new input: nothing to build or test"
        told = f"{_count(self.models, 'model')} to build, {_count(self.tests, 'test')} to run"
        if self.everything:
            return f"{told}: all"
        left = "; no new input for the others" if self.unchanged else ""
        return f"{told}: {', '.join(self.models) or 'tests alone'}{left}"

    @property
    def any(self) -> bool:
        """Whether there is anything to build or test."""
        return bool(self.models or self.tests)

    def selection(self) -> list[str]:
        """Return the options by which dbt builds and tests this and nothing else."""
        return ["--select", *self.models, *self.tests, "--indirect-selection", "empty"]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Changes":
        return TypeAdapter(cls).validate_python(values)


def find_changes(domain: str, settings: Settings, *, everything: bool = False) -> Changes:
    """Return which models and tests of a domain have new input.

    Args:
        domain: the pipeline.
        settings: the data folder and environment.
        everything: leave nothing out, as for a full refresh.

    Raises:
        DbtError: dbt refuses the project.
        WarehouseBusyError: another process kept the warehouse.
    """
    ensure_manifest(settings)
    manifest = read_manifest(settings.manifest)
    models, tests = nodes_of_run(manifest, domain)
    if not warehouse_exists(settings) or manifest.adapter == "spark":
        return _changes(manifest, domain, {}, "", {*models, *tests}, models, tests)
    with read_connection(settings) as warehouse:
        prints, stamp = _state_of(manifest, warehouse, [*models, *tests])
        recorded = _recorded(warehouse)
        there = _relations(warehouse, manifest, models)
    stale = {
        each
        for each in (*models, *tests)
        if everything
        or recorded.get(each) != prints[each]
        or (each in models and each not in there)
        # It warns again as long as there is a reason.
        or manifest.nodes[each]["config"].get("severity", "").lower() == "warn"
    }
    return _changes(manifest, domain, prints, stamp, _with_readers(manifest, stale), models, tests)


def record_built(domain: str, run_id: str, changes: Changes, settings: Settings) -> bool:
    """Record that the models of a run are built and that all of its tests have passed.

    Returns:
        Whether they are recorded; not if something was loaded or the project changed since `find_changes`. What another
        command has begun to build since is left out in any case.

    Raises:
        WarehouseBusyError: another process kept the warehouse.
    """
    if not changes.stamp:
        return False
    ensure_manifest(settings)
    manifest = read_manifest(settings.manifest)
    models, tests = nodes_of_run(manifest, domain)
    with connect(settings, domain) as warehouse:
        prints, stamp = _state_of(manifest, warehouse, [*models, *tests])
        if stamp != changes.stamp:
            log.info("input or code has changed during the run; the next run builds all that this one has")
            return False
        values = ", ".join(f"({literal(each)}, {literal(value)})" for each, value in prints.items())
        warehouse.execute(
            f"update {SCHEMA}.{TABLE} set fingerprint = built.fingerprint"
            f" from (values {values}) as built (unique_id, fingerprint)"
            f" where {TABLE}.unique_id = built.unique_id and {TABLE}.run_id = {literal(run_id)}"
        )
    return True


def recorded_marts(warehouse: Warehouse, manifest: Manifest, domain: str) -> str | None:
    """Return the fingerprint of a domain's marts as they stand in the warehouse; None if one is not recorded as tested."""
    recorded = _recorded(warehouse)
    found = [recorded.get(each) for each in sorted(manifest.marts(domain))]
    return combined([each for each in found if each]) if all(found) else None


def _changes(
    manifest: Manifest,
    domain: str,
    prints: Mapping[str, str],
    stamp: str,
    stale: set[str],
    models: list[str],
    tests: list[str],
) -> Changes:
    def names(ids: Iterable[str]) -> tuple[str, ...]:
        return tuple(manifest.nodes[each]["name"] for each in ids if each in stale)

    return Changes(
        models=names(models),
        tests=names(tests),
        unchanged=tuple(each for each in models if each not in stale),
        everything=stale.issuperset([*models, *tests]),
        marts=combined(prints.get(each, "") for each in sorted(manifest.marts(domain))),
        stamp=stamp,
    )


def _state_of(manifest: Manifest, warehouse: Warehouse, nodes: list[str]) -> tuple[dict[str, str], str]:
    """Return the fingerprints of nodes, and a hash of all that they were computed from."""
    sources = {each: manifest.sources[each] for each in sorted(sources_of(manifest, nodes))}
    raw: dict[str, str] = {}
    for each, source in sources.items():
        schema, table = source["schema"], source["identifier"]
        raw[each] = _raw_state(warehouse, schema, table)
        if table == LOADS and "entity" in warehouse.columns(schema, table):
            raw |= {
                entity_id(each, entity): combined(f"{load} {count}" for load, count in loads)
                for entity, loads in _loads_by_entity(warehouse, schema).items()
            }
    prints = fingerprints(manifest, raw, nodes)
    # A load in between may be undone, and a file be changed back, before this is computed again.
    loads = [_loads(warehouse, schema) for schema in sorted({each["schema"] for each in sources.values()})]
    return prints, combined([*prints.values(), str(loads), str(project_state())])


def _raw_state(warehouse: Warehouse, schema: str, table: str) -> str:
    """Return a hash that changes with every load that writes or deletes rows of a raw table, and with its columns.

    A load gives its id to each row that it writes, and no row is changed in its place.
    """
    columns = warehouse.columns(schema, table)
    if not columns:
        return ""
    if "_dlt_load_id" not in columns:
        return uuid4().hex  # nobody knows
    rows = warehouse.execute(
        f"select _dlt_load_id, count(*) from {quoted(schema)}.{quoted(table)} group by 1 order by 1"
    ).fetchall()
    return combined([*columns, *(f"{load} {count}" for load, count in rows)])


def _loads_by_entity(warehouse: Warehouse, schema: str) -> dict[str, list[tuple[str, int]]]:
    found: dict[str, list[tuple[str, int]]] = {}
    for entity, load, count in warehouse.execute(
        f"select entity, _dlt_load_id, count(*) from {quoted(schema)}.{LOADS} group by 1, 2 order by 1, 2"
    ).fetchall():
        found.setdefault(entity, []).append((load, count))
    return found


def _loads(warehouse: Warehouse, schema: str) -> list[tuple[Any, ...]]:
    if not warehouse.columns(schema, "_dlt_loads"):
        return []
    return warehouse.execute(f"select count(*), max(inserted_at) from {quoted(schema)}._dlt_loads").fetchall()


def _recorded(warehouse: Warehouse) -> dict[str, str]:
    if not warehouse.columns(SCHEMA, TABLE):
        return {}
    found = warehouse.execute(
        f"select unique_id, fingerprint from {SCHEMA}.{TABLE} where fingerprint is not null"
    )
    return dict(found.fetchall())


def _relations(warehouse: Warehouse, manifest: Manifest, models: list[str]) -> set[str]:
    """Return the models and seeds whose table or view is there."""
    schemas = {manifest.nodes[each]["schema"] for each in models}
    tables = {schema: warehouse.tables(schema) for schema in schemas}
    return {
        each for each in models if manifest.nodes[each]["alias"] in tables[manifest.nodes[each]["schema"]]
    }


def _with_readers(manifest: Manifest, stale: set[str]) -> set[str]:
    """Return nodes with all that reads them."""
    left, found = list(stale), set(stale)
    while left:
        new = set(manifest.readers.get(left.pop(), ())) - found
        found |= new
        left += new
    return found


def _count(names: tuple[str, ...], noun: str) -> str:
    return f"{len(names)} {noun}{'' if len(names) == 1 else 's'}"
