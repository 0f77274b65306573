"""Assets for lineage: what each task reads and writes, from landing and APIs to published marts and reports.

Airflow shows them and does nothing else with them. Only what is published starts other DAGs: the event of a model comes
before its tests.
"""

from typing import Any

from airflow.sdk import DAG, Asset

from orchestration.steps import Kind, Step
from settings import Settings
from transformation.manifest import SHARED, ManifestError, read_manifest


def published_asset(domain: str) -> Asset:
    """Return the asset that a domain's publish updates."""
    return _asset("published", domain)


def step_assets(domain: str, step: Step, own: Settings) -> dict[str, list[Asset]]:
    """Return the `inlets` and `outlets` of a step's task."""
    match step.kind:
        case Kind.FETCH:
            return {"inlets": [_asset("api", domain, step.entity)]}
        case Kind.INGEST:
            source = "api" if step.fetched else "landing"
            return {
                "inlets": [_asset(source, domain, step.entity)],
                "outlets": [_asset("raw", domain, step.table or step.entity)],
            }
        case Kind.ENRICH:
            return {"outlets": [_asset("raw", domain, step.entity)]}
        case Kind.PUBLISH:
            marts = _manifest_nodes(own).values()
            own_marts = [
                node for node in marts if node["schema"] == "marts" and {domain, SHARED} & {*node["tags"]}
            ]
            return {"inlets": list(map(_node_asset, own_marts)), "outlets": [published_asset(domain)]}
        case Kind.REPORT:
            return {"inlets": [published_asset(domain)], "outlets": [_asset("reports", domain)]}
    return {}


def add_model_assets(dag: DAG, own: Settings) -> None:
    """Set what the tasks of dbt's models and seeds read and write."""
    nodes = _manifest_nodes(own)
    for task in dag.tasks:
        node_id = getattr(task, "extra_context", {}).get("dbt_node_config", {}).get("unique_id")
        if node := nodes.get(node_id):
            task.inlets = [
                _node_asset(nodes[parent])
                for parent in node["depends_on"].get("nodes", [])
                if parent in nodes
            ]
            task.outlets = [_node_asset(node)]


def _manifest_nodes(own: Settings) -> dict[str, dict[str, Any]]:
    """Return dbt's models, seeds and sources by their unique id; none without a manifest."""
    try:
        manifest = read_manifest(own.manifest)
    except ManifestError:
        return {}
    nodes = {**manifest.nodes, **manifest.sources}
    return {
        name: node for name, node in nodes.items() if node["resource_type"] in ("model", "seed", "source")
    }


def _node_asset(node: dict[str, Any]) -> Asset:
    if node["resource_type"] == "source":
        return _asset("raw", node["schema"].removeprefix("raw_"), node["identifier"])
    # The same in each DAG that reads or writes it.
    extra = {"description": node["description"], "owner": node.get("group") or node["schema"]}
    # By its own name, since Airflow's UI searches for the beginning of names.
    return Asset(node["alias"], f"sluice://{node['schema']}/{node['alias']}", extra=extra)


def _asset(*parts: str) -> Asset:
    return Asset(f"sluice://{'/'.join(parts)}")
