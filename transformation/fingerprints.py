"""What the models and tests of a domain's run depend on, as one hash each.

The fingerprint of a model, seed or test covers its code and properties, all macros, the project's configuration, the
versions of dbt and its adapter, and the fingerprints of all that it reads, down to the raw tables. Macros are not told
apart: dbt does not know of every macro that another one calls, so a change of any macro changes all fingerprints.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

from settings import DBT_PROJECT_DIR
from transformation.manifest import SHARED, Manifest

# What dbt writes into a node by itself, or what says only where the checkout is.
_VOLATILE = {"created_at", "compiled", "compiled_code", "compiled_path", "build_path", "root_path"}
_VOLATILE |= {"extra_ctes", "extra_ctes_injected", "relation_name", "database", "docs", "doc_blocks"}
# The table that every load writes to, and the macro by which a staging model looks up the days of its entity's loads.
LOADS = "file_loads"
_LOAD_DAYS = re.compile(r"load_days\(\s*'(\w+)',\s*'(\w+)'\s*\)")
_BUILT = ("model", "seed", "snapshot")


def nodes_of_run(manifest: Manifest, domain: str) -> tuple[list[str], list[str]]:
    """Return the ids of the models and seeds, and of the data tests, that a domain's run consists of.

    They are those that dbt selects by `transformation.dbt.selectors`, without the unit tests: what has the tag of the
    domain or of the shared dimensions, and the tests that need nothing else.
    """
    tags = {domain, SHARED}
    nodes = manifest.nodes
    selected = {unique_id for unique_id, node in nodes.items() if tags & set(node["tags"])}
    built = {unique_id for unique_id in selected if nodes[unique_id]["resource_type"] in _BUILT}
    within = built | _ancestors(manifest, built)
    tests = [
        unique_id
        for unique_id, node in nodes.items()
        if node["resource_type"] == "test"
        and (unique_id in selected or (built & set(parents := _parents(node)) and within.issuperset(parents)))
    ]
    return sorted(built), sorted(tests)


def fingerprints(manifest: Manifest, raw: Mapping[str, str], wanted: Iterable[str]) -> dict[str, str]:
    """Return the fingerprints of nodes.

    Args:
        manifest: dbt's manifest, up to date.
        raw: the state of each raw table that they read, by the id of its source; of the table of loads also that of
            each entity's rows, as `entity_id` names it.
        wanted: ids of models, seeds and tests.
    """
    common = _digest(
        [
            (DBT_PROJECT_DIR / "dbt_project.yml").read_text(),
            manifest.dbt_version,
            *(f"{name} {version(name)}" for name in (f"dbt-{manifest.adapter}", "duckdb")),
            *(f"{name} {macro['macro_sql']}" for name, macro in sorted(manifest.macros.items())),
        ]
    )
    found: dict[str, str] = dict(raw)

    def of(unique_id: str) -> str:
        if unique_id not in found and "#" in unique_id:
            found[unique_id] = ""  # nothing of this entity is loaded
        if unique_id not in found:
            node = manifest.nodes[unique_id]
            own = {name: value for name, value in node.items() if name not in _VOLATILE}
            found[unique_id] = _digest(
                [common, own, _seed(node), [of(parent) for parent in _inputs(manifest, node)]]
            )
        return found[unique_id]

    return {unique_id: of(unique_id) for unique_id in wanted}


def sources_of(manifest: Manifest, wanted: Iterable[str]) -> set[str]:
    """Return the ids of the sources that nodes read, themselves or by what they read."""
    wanted = set(wanted)
    return {each for each in _ancestors(manifest, wanted) if each in manifest.sources}


def combined(values: Iterable[str]) -> str:
    """Return one hash of several."""
    return _digest(list(values))


def _seed(node: Mapping[str, Any]) -> str:
    """Return a large seed's content, which dbt itself leaves out."""
    if node.get("checksum", {}).get("name") != "path":
        return ""
    return hashlib.sha256((DBT_PROJECT_DIR / node["original_file_path"]).read_bytes()).hexdigest()


def _parents(node: Mapping[str, Any]) -> list[str]:
    return sorted(node["depends_on"].get("nodes", []))


def entity_id(source_id: str, entity: str) -> str:
    """Return the name of the rows of one entity in a table of loads."""
    return f"{source_id}#{entity}"


def _inputs(manifest: Manifest, node: Mapping[str, Any]) -> list[str]:
    """Return what a node reads; of the loads only those of an entity, if it only looks up the days of these.

    Every load writes to the table of loads, and no other entity is to be built again for that.
    """
    parents, code = _parents(node), node.get("raw_code") or ""
    looked_up = _LOAD_DAYS.findall(code)
    others = _macros_of(manifest, node) - {"load_days"}
    if (
        not looked_up
        or len(looked_up) != code.count("load_days(")
        or LOADS in code
        or any(LOADS in sql for name, sql in _macro_sql(manifest).items() if name in others)
    ):
        return parents
    loads = {
        parent.rpartition(".")[0].rpartition(".")[2]: parent for parent in parents if parent.endswith(LOADS)
    }
    if {schema for schema, _ in looked_up} != loads.keys():
        return parents
    return sorted(
        [
            *(parent for parent in parents if not parent.endswith(LOADS)),
            *(entity_id(loads[schema], entity) for schema, entity in looked_up),
        ]
    )


def _macros_of(manifest: Manifest, node: Mapping[str, Any]) -> set[str]:
    """Return the names of the macros that a node calls, itself or by others, as far as dbt knows."""
    left, found = list(node["depends_on"].get("macros", [])), set[str]()
    while left:
        if (unique_id := left.pop()) not in found:
            found.add(unique_id)
            left += manifest.macros.get(unique_id, {}).get("depends_on", {}).get("macros", [])
    return {unique_id.rpartition(".")[2] for unique_id in found}


def _macro_sql(manifest: Manifest) -> dict[str, str]:
    return {unique_id.rpartition(".")[2]: macro["macro_sql"] for unique_id, macro in manifest.macros.items()}


def _ancestors(manifest: Manifest, nodes: Iterable[str]) -> set[str]:
    left, found = list(nodes), set[str]()
    while left:
        node = manifest.nodes.get(left.pop())
        for parent in _parents(node) if node else ():
            if parent not in found:
                found.add(parent)
                left.append(parent)
    return found


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
