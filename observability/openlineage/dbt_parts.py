"""The parts of a run that dbt did: models and seeds, and the data tests."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from openlineage.client.facet_v2 import data_quality_assertions_dataset

from lineage.models import table_name
from observability.openlineage.datasets import Datasets
from observability.openlineage.job_run import JobRun
from transformation.manifest import MARTS, Manifest

TESTS = "test_data"


def dbt_parts(
    results: Sequence[Mapping[str, Any]], manifest: Manifest, datasets: Datasets, rows: Mapping[str, int]
) -> Iterator[JobRun]:
    """Yield the models and seeds that dbt built, and one part for all data tests.

    Args:
        results: what dbt says of each node that it ran, in the order of its commands.
        manifest: dbt's.
        datasets: makes the datasets.
        rows: the rows of each mart that the run has published.
    """
    # A model that was built again has the result of its last try.
    latest = {each["unique_id"]: each for each in results if each["started_at"]}
    yield from _models(latest, manifest, datasets, rows)
    yield from _tests(latest, manifest, datasets)


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
