"""The jobs of a run: its stages, dbt's models and seeds, and the data tests, with what each of them read and wrote."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from openlineage.client.event_v2 import InputDataset, OutputDataset
from openlineage.client.facet_v2 import data_quality_assertions_dataset

from ingestion.enrich.enrichment_resource import EnrichmentResource
from ingestion.files.file_resource import FileResource
from ingestion.registry import Resource, resources_of
from lineage.declared import OF_ALL_FILES
from lineage.models import table_name
from observability.metrics.record import PUBLISH, RunResult
from observability.openlineage.datasets import Datasets, exposure_name, published_name
from transformation.manifest import MARTS, Manifest

INGEST, FETCH, REPORTS, TESTS = "ingest_", "fetch_", "reports", "test_data"
# The raw table that enrichments write beside their own.
USAGE = "llm_usage"


@dataclass(frozen=True)
class JobRun:
    """A part of a run.

    Attributes:
        job: its name, the same in each run.
        part: tells it from other runs of the job in the same run, such as those of other files.
        kind: what it is, such as `MODEL`.
        started_at: when it began.
        ended_at: when it ended.
        error: why it failed; None if it did not.
        inputs: what it read.
        outputs: what it wrote.
    """

    job: str
    part: str
    kind: str
    started_at: datetime
    ended_at: datetime
    error: str | None = None
    inputs: Sequence[InputDataset] = ()
    outputs: Sequence[OutputDataset] = field(default=())


def job_runs(
    result: RunResult,
    results: Sequence[Mapping[str, Any]],
    manifest: Manifest,
    datasets: Datasets,
    rows: Mapping[str, int],
) -> Iterator[JobRun]:
    """Yield the parts of a run.

    Args:
        result: the run.
        results: what dbt says of each node that it ran, in the order of its commands.
        manifest: dbt's.
        datasets: makes the datasets.
        rows: the rows of each mart that the run has published.
    """
    domain = result.domain
    for stage in result.stages:
        if stage["stage"].startswith((INGEST, FETCH)):
            yield _load(domain, stage, datasets)
        elif stage["stage"] == PUBLISH:
            marts = [node["alias"] for node in manifest.marts(domain).values()]
            outputs = [datasets.written(published_name(domain, mart), rows.get(mart)) for mart in marts]
            yield _stage(stage, PUBLISH, [datasets.read(f"marts.{mart}") for mart in marts], outputs)
        elif stage["stage"] == REPORTS:
            shown = {
                name: node
                for name, node in manifest.exposures_of(domain).items()
                if name.startswith("report_")
            }
            inputs = [datasets.read(name) for node in shown.values() for name in exposed(node, domain)]
            outputs = [datasets.written(exposure_name(name)) for name in shown]
            yield _stage(stage, "write_reports", inputs, outputs)
    # A model that was built again has the result of its last try.
    latest = {each["unique_id"]: each for each in results if each["started_at"]}
    yield from _models(latest, manifest, datasets, rows)
    yield from _tests(latest, manifest, datasets)


def exposed(exposure: Mapping[str, Any], domain: str) -> list[str]:
    """Return the names of the published marts that an exposure reads."""
    marts = [unique_id.rpartition(".")[2] for unique_id in exposure["depends_on"]["nodes"]]
    return [published_name(domain, mart) for mart in marts]


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


def _load(domain: str, stage: Mapping[str, Any], datasets: Datasets) -> JobRun:
    """Return the load of an entity, or of one file or month of it: the stage has the name of the entity, then of that."""
    prefix, _, rest = stage["stage"].partition("_")
    fitting = [each for each in resources_of(domain) if rest == each.name or rest.startswith(f"{each.name}_")]
    if not fitting:  # it was renamed since
        return _stage(stage, stage["stage"], [], [])
    resource = max(fitting, key=lambda each: len(each.name))
    job = f"{prefix}_{resource.name}"
    inputs = [datasets.read(_source(domain, resource))]
    if prefix == FETCH.strip("_"):
        return _stage(stage, job, inputs, [])
    beside = (USAGE,) if isinstance(resource, EnrichmentResource) else OF_ALL_FILES
    outputs = [datasets.written(f"raw_{domain}.{resource.entity}", stage["rows_out"])]
    return _stage(
        stage, job, inputs, [*outputs, *(datasets.written(f"raw_{domain}.{table}") for table in beside)]
    )


def _source(domain: str, resource: Resource) -> str:
    if isinstance(resource, EnrichmentResource):
        return f"raw_{domain}.{resource.articles.entity}"
    return f"{'landing' if isinstance(resource, FileResource) else 'api'}/{domain}/{resource.name}"


def _models(
    latest: Mapping[str, Mapping[str, Any]], manifest: Manifest, datasets: Datasets, rows: Mapping[str, int]
) -> Iterator[JobRun]:
    nodes = {**manifest.nodes, **manifest.sources}
    for unique_id, result in latest.items():
        node = nodes.get(unique_id)
        if node is None or node["resource_type"] not in ("model", "seed"):
            continue
        failed = result["status"] == "error"
        # DuckDB does not say how many rows a model has; those of a mart are counted when it is published.
        count = result["rows_affected"] or (rows.get(node["alias"]) if node["schema"] == MARTS else None)
        parents = [nodes[parent] for parent in node["depends_on"].get("nodes", []) if parent in nodes]
        yield JobRun(
            node["name"],
            node["name"],
            node["resource_type"].upper(),
            result["started_at"],
            result["ended_at"] or result["started_at"],
            (result["message"] or "dbt has no message") if failed else None,
            [datasets.read(table_name(parent)) for parent in parents],
            [] if failed else [datasets.written(table_name(node), count)],
        )


def _tests(
    latest: Mapping[str, Mapping[str, Any]], manifest: Manifest, datasets: Datasets
) -> Iterator[JobRun]:
    """Yield one job for all data tests, with the results as assertions on the tables that they test."""
    done = [
        (manifest.nodes[unique_id], result)
        for unique_id, result in latest.items()
        if unique_id in manifest.nodes and manifest.nodes[unique_id]["resource_type"] == "test"
    ]
    if not done:
        return
    assertions: dict[str, list[data_quality_assertions_dataset.Assertion]] = defaultdict(list)
    for test, result in done:
        # A test of a single model is about it; one that compares several is about each of them.
        tested = [test["attached_node"]] if test.get("attached_node") else test["depends_on"]["nodes"]
        for unique_id in tested:
            if unique_id in manifest.nodes:
                assertions[table_name(manifest.nodes[unique_id])].append(_assertion(test, result))
    failed = [(test["name"], result) for test, result in done if result["status"] in ("fail", "error")]
    error = "; ".join(f"{name}: {result['message'] or result['status']}" for name, result in failed)
    yield JobRun(
        TESTS,
        TESTS,
        "TEST",
        min(result["started_at"] for _, result in done),
        max(result["ended_at"] or result["started_at"] for _, result in done),
        error or None,
        [datasets.read(name, found) for name, found in assertions.items()],
    )


def _assertion(
    test: Mapping[str, Any], result: Mapping[str, Any]
) -> data_quality_assertions_dataset.Assertion:
    metadata = test.get("test_metadata") or {}
    failures = result["failures"]
    return data_quality_assertions_dataset.Assertion(
        assertion=metadata.get("name") or "custom_sql",
        success=result["status"] == "pass",
        column=test.get("column_name"),
        severity=test["config"]["severity"].lower(),
        name=test["name"],
        actual=None if failures is None else f"{failures} failures",
    )
