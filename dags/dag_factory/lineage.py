"""Assets for lineage: what each task reads and writes, from landing and APIs to published marts and reports.

Airflow shows them and does nothing else with them. Only what is published starts other DAGs: the event of a model comes
before its tests.
"""

from typing import Any

from airflow.sdk import DAG, Asset

from orchestration.steps import Kind, Step
from settings import Settings
from transformation.manifest import ManifestError, read_manifest


def published_asset(domain: str) -> Asset:
    """Return the asset that a domain's publish updates."""
    return _asset("published", domain)


def step_assets(domain: str, step: Step) -> dict[str, list[Asset]]:
    """Return the `inlets` and `outlets` of a step's task; what `publish` reads is for `add_model_assets`."""
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
            return {"outlets": [published_asset(domain)]}
        case Kind.REPORT:
            return {"inlets": [published_asset(domain)], "outlets": [_asset("reports", domain)]}
    return {}


def add_model_assets(dag: DAG, own: Settings) -> None:
    """Set what the tasks of dbt's models and seeds read and write, and what `publish` reads; nothing without a manifest."""
    try:
        manifest = read_manifest(own.manifest)
        marts = manifest.marts(dag.dag_id)
    except ManifestError:
        return
    nodes = {**manifest.nodes, **manifest.sources}
    for task in dag.tasks:
        node_id = getattr(task, "extra_context", {}).get("dbt_node_config", {}).get("unique_id")
        if node := nodes.get(node_id):
            # A seed depends on no node.
            parents = node["depends_on"].get("nodes", [])
            task.inlets = [_node_asset(nodes[parent]) for parent in parents]
            task.outlets = [_node_asset(node)]
        elif task.task_id == Kind.PUBLISH:
            task.inlets = list(map(_node_asset, marts.values()))


def _node_asset(node: dict[str, Any]) -> Asset:
    if node["resource_type"] == "source":
        return _asset("raw", node["schema"].removeprefix("raw_"), node["identifier"])
    # The same in each DAG that reads or writes it.
    extra = {"description": node["description"], "owner": node.get("group") or node["schema"]}
    # By its own name, since Airflow's UI searches for the beginning of names.
    return Asset(node["alias"], f"sluice://{node['schema']}/{node['alias']}", extra=extra)


def _asset(*parts: str) -> Asset:
    return Asset(f"sluice://{'/'.join(parts)}")
