"""The parts of a run outside dbt: its loads, the publication and the reports."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from openlineage.client.event_v2 import InputDataset, OutputDataset

from ingestion.enrich.enrichment_resource import EnrichmentResource
from ingestion.files.file_resource import FileResource
from ingestion.registry import Resource, resources_of
from lineage.declared import OF_ALL_FILES
from observability.metrics.record import PUBLISH, RunResult
from observability.openlineage.datasets import Datasets, exposed, exposure_name, published_name
from observability.openlineage.job_run import JobRun
from transformation.manifest import MARTS, Manifest

INGEST, FETCH, REPORTS = "ingest", "fetch", "reports"
# The raw table that enrichments write beside their own.
USAGE = "llm_usage"


def stage_parts(
    result: RunResult, manifest: Manifest, datasets: Datasets, rows: Mapping[str, int]
) -> Iterator[JobRun]:
    """Yield the stages of a run; those of dbt are in `dbt_parts`.

    Args:
        result: the run.
        manifest: dbt's.
        datasets: makes the datasets.
        rows: the rows of each mart that the run has published.
    """
    domain = result.domain
    for stage in result.stages:
        kind, _, rest = stage["stage"].partition("_")
        if kind in (INGEST, FETCH):
            yield _load(domain, kind, rest, stage, datasets)
        elif stage["stage"] == PUBLISH:
            marts = [node["alias"] for node in manifest.marts(domain).values()]
            outputs = [datasets.written(published_name(domain, mart), rows.get(mart)) for mart in marts]
            yield _stage(stage, PUBLISH, [datasets.read(f"{MARTS}.{mart}") for mart in marts], outputs)
        elif stage["stage"] == REPORTS:
            shown = {
                name: node
                for name, node in manifest.exposures_of(domain).items()
                if name.startswith("report_")
            }
            inputs = [datasets.read(name) for node in shown.values() for name in exposed(node, domain)]
            outputs = [datasets.written(exposure_name(name)) for name in shown]
            yield _stage(stage, "write_reports", inputs, outputs)


def _load(domain: str, kind: str, rest: str, stage: Mapping[str, Any], datasets: Datasets) -> JobRun:
    """Return the load of an entity, or of one file or month of it: the stage has the name of the entity, then of that."""
    fitting = [each for each in resources_of(domain) if f"{rest}_".startswith(f"{each.name}_")]
    if not fitting:  # it was renamed since
        return _stage(stage, stage["stage"], [], [])
    resource = max(fitting, key=lambda each: len(each.name))
    outputs = []
    if kind == INGEST:
        beside = (USAGE,) if isinstance(resource, EnrichmentResource) else OF_ALL_FILES
        outputs = [
            datasets.written(f"raw_{domain}.{resource.entity}", stage["rows_out"]),
            *(datasets.written(f"raw_{domain}.{table}") for table in beside),
        ]
    return _stage(stage, f"{kind}_{resource.name}", [datasets.read(_source(domain, resource))], outputs)


def _source(domain: str, resource: Resource) -> str:
    if isinstance(resource, EnrichmentResource):
        return f"raw_{domain}.{resource.articles.entity}"
    return f"{'landing' if isinstance(resource, FileResource) else 'api'}/{domain}/{resource.name}"


def _stage(
    stage: Mapping[str, Any],
    job: str,
    inputs: Sequence[InputDataset],
    outputs: Sequence[OutputDataset],
) -> JobRun:
    # A stage that was interrupted has no end.
    ended_at = stage["ended_at"] or stage["started_at"]
    written = () if stage["error"] else outputs
    return JobRun(job, stage["stage"], "TASK", stage["started_at"], ended_at, stage["error"], inputs, written)
