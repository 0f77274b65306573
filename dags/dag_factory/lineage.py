"""Assets for lineage: what each task reads and writes, from landing and APIs to published marts, reports and pages.

Airflow shows them and does nothing else with them. Only what is published starts other DAGs: the event of a model comes
before its tests.

An asset has the same name and address with and without dbt's manifest, and the same description and owner in each DAG
that reads or writes it: Airflow keeps what the DAG that it parsed last says.
"""

from collections.abc import Sequence
from typing import Any

from airflow.sdk import DAG, Asset
from pydantic import JsonValue

import settings
from ingestion.enrich.enrichment_resource import EnrichmentResource
from ingestion.files.file_resource import FileResource
from ingestion.registry import Resource, used_resources_of
from lineage.declared import OF_ALL_FILES
from orchestration.steps import Kind, Step
from settings import Settings
from transformation.manifest import Manifest, ManifestError, read_manifest

# The raw table that enrichments write beside their own.
USAGE = "llm_usage"


def published_asset(domain: str) -> Asset:
    """Return the asset that a domain's publish updates."""
    return _exposed(f"published_{domain}", domain, _manifest(settings.load()))


def publish_outlets(domain: str) -> list[Asset]:
    """Return what the publish of a domain updates: what is published, and the pages of the dashboard that read it."""
    manifest = _manifest(settings.load())
    pages = [name for name in manifest.exposures_of(domain) if name.startswith("page_")]
    return [_exposed(name, domain, manifest) for name in (f"published_{domain}", *pages)]


def step_assets(domain: str, step: Step, own: Settings) -> dict[str, list[Asset]]:
    """Return the `inlets` and `outlets` of a step's task; what `publish` reads is for `add_model_assets`."""
    manifest = _manifest(own)

    def raw(*tables: str) -> list[Asset]:
        return [_raw(domain, table, manifest) for table in tables]

    match step.kind:
        case Kind.DOWNLOAD:
            return {"outlets": [_delivered(domain, step.entity, manifest)]}
        case Kind.FETCH:
            # The rows of a source become files in landing; the records of an API are loaded as they are.
            is_extracted = isinstance(_resource(domain, step.entity), FileResource)
            return {"outlets" if is_extracted else "inlets": [_delivered(domain, step.entity, manifest)]}
        case Kind.INGEST:
            return {
                "inlets": [_delivered(domain, step.entity, manifest)],
                "outlets": raw(step.table or step.entity, *OF_ALL_FILES),
            }
        case Kind.ENRICH:
            resource = _resource(domain, step.entity)
            assert isinstance(resource, EnrichmentResource)
            return {"inlets": raw(resource.articles.entity), "outlets": raw(step.entity, USAGE)}
        case Kind.PUBLISH:
            return {"outlets": publish_outlets(domain)}
        case Kind.REPORT:
            reports = [name for name in manifest.exposures_of(domain) if name.startswith("report_")]
            return {
                "inlets": [published_asset(domain)],
                "outlets": [_exposed(name, domain, manifest) for name in reports],
            }
    return {}


def add_model_assets(dag: DAG, own: Settings) -> None:
    """Set what the tasks of dbt's models and seeds read and write, and what `publish` reads; nothing without a manifest."""
    manifest = _manifest(own)
    nodes = {**manifest.nodes, **manifest.sources}
    for task in dag.tasks:
        node_id = getattr(task, "extra_context", {}).get("dbt_node_config", {}).get("unique_id")
        if node := nodes.get(node_id):
            # A seed depends on no node.
            parents = node["depends_on"].get("nodes", [])
            task.inlets = [_node_asset(nodes[parent], manifest) for parent in parents]
            task.outlets = [_node_asset(node, manifest)]
        elif task.task_id == Kind.PUBLISH and dag.dag_id in manifest.domains:
            task.inlets = [_node_asset(mart, manifest) for mart in manifest.marts(dag.dag_id).values()]


def _manifest(own: Settings) -> Manifest:
    """Return dbt's manifest, empty before dbt has parsed the project for the first time."""
    try:
        return read_manifest(own.manifest)
    except ManifestError:
        return Manifest({"nodes": {}})


def _node_asset(node: dict[str, Any], manifest: Manifest) -> Asset:
    if node["resource_type"] == "source":
        return _raw(node["schema"].removeprefix("raw_"), node["identifier"], manifest)
    # By its own name, since Airflow's UI searches for the beginning of names.
    place = (node["schema"], node["alias"])
    return _asset(place, node["alias"], node["group"], node["description"], manifest)


def _raw(domain: str, table: str, manifest: Manifest) -> Asset:
    source = manifest.sources.get(f"source.sluice.raw_{domain}.{table}", {})
    description = source.get("description", "")
    return _asset(("raw", domain, table), f"raw_{domain}.{table}", domain, description, manifest)


def _resource(domain: str, name: str) -> Resource:
    return next(each for each in used_resources_of(domain) if each.name == name)


def _delivered(domain: str, name: str, manifest: Manifest) -> Asset:
    """Return the asset of the files or the API that a resource is loaded from."""
    resource = _resource(domain, name)
    if isinstance(resource, FileResource):
        place, description = "landing", f"Files {resource.pattern} in the landing folder of {domain}."
    else:
        place, description = "api", f"Records of the API {name}."
    return _asset((place, domain, name), f"{place}/{domain}/{name}", domain, description, manifest)


def _exposed(name: str, domain: str, manifest: Manifest) -> Asset:
    """Return the asset of an exposure, such as `page_taxi`."""
    kind, _, rest = name.partition("_")
    description = manifest.exposures_of(domain).get(name, {}).get("description", "")
    place = kind if kind == "published" else f"{kind}s"
    return _asset((place, rest), name, domain, description, manifest)


def _asset(place: Sequence[str], name: str, group: str, description: str, manifest: Manifest) -> Asset:
    extra: dict[str, JsonValue] = {}
    if description:
        extra = {"description": description, "owner": manifest.owner(group)}
    return Asset(name, f"sluice://{'/'.join(place)}", group=group, extra=extra)
