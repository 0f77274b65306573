"""The tables of dbt's manifest, with the lineage of their columns."""

import csv
from collections.abc import Iterable, Mapping
from typing import Any

from lineage.declared import inputs, python_edges
from lineage.graph import MODEL, RAW, SEED, Column, Lineage, Reader, Table
from lineage.query import resolve
from lineage.relation import COUNT, QueryError, describe, digest
from settings import DBT_PROJECT_DIR
from transformation.manifest import SHARED, Manifest

# Kinds of readers by the types of dbt's exposures; what is published are the marts themselves.
KINDS = {"dashboard": "page", "analysis": "report"}


def resolve_models(
    manifest: Manifest, domain: str, dialect: str, known: Mapping[str, Table]
) -> tuple[Lineage, list[str]]:
    """Return the lineage of a domain, and for each model that could not be resolved the reason.

    Args:
        manifest: dbt's, in which the models that were built have their compiled SQL.
        domain: its models, the shared ones, and all that they read.
        dialect: the SQL dialect, which has the name of dbt's adapter.
        known: the tables of earlier builds, for the models that were not built.
    """
    nodes = {
        unique_id: node
        for unique_id, node in {**manifest.sources, **manifest.nodes}.items()
        if node["resource_type"] in ("source", SEED, MODEL)
    }
    wanted = [unique_id for unique_id, node in nodes.items() if {domain, SHARED} & set(node["tags"])]
    found: dict[str, Table] = {}
    problems: list[str] = []
    given = inputs()
    edges = python_edges(manifest)
    for unique_id in _in_order(wanted, nodes):
        node = nodes[unique_id]
        name = table_name(node)
        if node["resource_type"] == "source":
            found[name] = _raw(name, node["columns"], given.get(name, ()), edges.get(name, {}))
        elif node["resource_type"] == SEED:
            found[name] = Table(name, SEED, {column: Column() for column in _seed_columns(node)})
        elif node.get("compiled_code"):
            try:
                found[name] = _model(name, node, found, dialect)
            except QueryError as error:
                problems.append(f"{name}: {error}")
        elif name in known:
            found[name] = known[name]
    return Lineage(found, _readers(manifest, nodes, found)), problems


def table_name(node: Mapping[str, Any]) -> str:
    """Return the name of a node's table as `schema.table`."""
    return f"{node['schema']}.{node.get('identifier') or node['alias']}"


def _in_order(wanted: Iterable[str], nodes: Mapping[str, dict[str, Any]]) -> list[str]:
    """Return nodes and all that they read, each after what it reads: `select *` takes the columns of that."""
    found: dict[str, None] = {}

    def add(unique_id: str) -> None:
        if unique_id in nodes and unique_id not in found:
            for parent in nodes[unique_id].get("depends_on", {}).get("nodes", ()):
                add(parent)
            found[unique_id] = None

    for unique_id in sorted(wanted):
        add(unique_id)
    return list(found)


def _readers(
    manifest: Manifest, nodes: Mapping[str, dict[str, Any]], found: Mapping[str, Table]
) -> dict[str, Reader]:
    """Return the pages and reports that read one of the tables."""
    readers = {}
    for exposure in manifest.exposures.values():
        reads = [table_name(nodes[each]) for each in exposure["depends_on"]["nodes"] if each in nodes]
        known = tuple(sorted(found.keys() & set(reads)))
        if known and exposure["type"] in KINDS:
            name, label = exposure["name"], exposure["label"] or exposure["name"]
            readers[name] = Reader(name, KINDS[exposure["type"]], label, known)
    return readers


def _raw(
    name: str,
    columns: Mapping[str, dict[str, Any]],
    read: tuple[str, ...],
    edges: Mapping[str, tuple[str, ...]],
) -> Table:
    tables = {source.rpartition(".")[0] for sources in edges.values() for source in sources}
    return Table(
        name,
        RAW,
        {
            column: Column(edges.get(column, ()), personal=_is_personal(values))
            for column, values in columns.items()
        },
        rows=tuple(sorted({source for sources in edges.values() for source in sources})),
        reads=tuple(sorted({*read, *tables})),
    )


def _is_personal(column: Mapping[str, Any]) -> bool:
    return bool(((column.get("config") or {}).get("meta") or {}).get("personal"))


def _seed_columns(node: Mapping[str, Any]) -> list[str]:
    delimiter = node["config"].get("delimiter") or ","
    with (DBT_PROJECT_DIR / node["original_file_path"]).open(newline="") as file:
        return next(csv.reader(file, delimiter=delimiter))


def _model(name: str, node: Mapping[str, Any], found: Mapping[str, Table], dialect: str) -> Table:
    def columns_of(table: str) -> Iterable[str]:
        if table == name:
            return node["columns"]
        return found[table].columns if table in found else ()

    relation, reads = resolve(node["compiled_code"], dialect, columns_of, name)
    return Table(
        name,
        MODEL,
        {
            column: Column(
                _names(value.refs, name),
                describe(value, dialect),
                digest(value.text),
                COUNT in value.text,
            )
            for column, value in relation.columns.items()
        },
        _names(relation.rows, name),
        tuple(sorted(reads)),
        digest(relation.text),
    )


def _names(refs: Iterable[tuple[str, str]], own: str) -> tuple[str, ...]:
    return tuple(sorted(f"{table}.{column}" for table, column in refs if table != own))
