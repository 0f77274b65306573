"""The events of a run: a start and an end for the run and each part of it, and the pages that show what it published."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from openlineage.client.event_v2 import Job, JobEvent, Run, RunEvent, RunState
from openlineage.client.facet_v2 import (
    JobFacet,
    RunFacet,
    error_message_run,
    job_type_job,
    parent_run,
    set_producer,
)
from openlineage.client.uuid import generate_static_uuid

from observability.metrics.record import RunResult
from observability.openlineage.datasets import Datasets, exposed, exposure_name
from observability.openlineage.job_run import JobRun
from transformation.manifest import Manifest

PRODUCER = "urn:sluice"
LANGUAGE = "SQL and Python"
# Also in facets, which have no argument for it in most classes.
set_producer(PRODUCER)

Event = RunEvent | JobEvent


def events_of(
    result: RunResult, parts: Iterable[JobRun], manifest: Manifest, datasets: Datasets, namespace: str
) -> Iterator[list[Event]]:
    """Yield the events of a run and of each of its parts, those of one together.

    Args:
        result: the run.
        parts: its parts.
        manifest: dbt's, for the pages.
        datasets: makes the datasets of the pages.
        namespace: of the jobs.
    """
    domain = result.domain
    now = datetime.now(UTC)
    failed = result.status == "failed"
    whole = JobRun(
        domain,
        "",
        "DAG",
        result.run["started_at"] or now,
        result.run["ended_at"] or now,
        (result.run["error"] or result.status) if failed else None,
    )
    run_id = _run_id(namespace, result, whole)
    yield _start_and_end(whole, Job(namespace, domain), run_id, {})
    parent = parent_run.ParentRunFacet(parent_run.Run(run_id), parent_run.Job(namespace, domain))
    for part in parts:
        job = Job(namespace, f"{domain}.{part.job}")
        yield _start_and_end(part, job, _run_id(namespace, result, part), {"parent": parent})
    if result.published:
        for name, node in manifest.exposures_of(domain).items():
            if name.startswith("page_"):
                # A page is not run: it reads what is published whenever somebody looks at it.
                page = JobEvent(
                    eventTime=whole.ended_at.isoformat(),
                    producer=PRODUCER,
                    job=Job(namespace, f"{domain}.{name}", _job_facets("PAGE")),
                    inputs=[datasets.read(mart) for mart in exposed(node, domain)],
                    outputs=[datasets.written(exposure_name(name))],
                )
                yield [page]


def _start_and_end(part: JobRun, job: Job, run_id: str, facets: dict[str, RunFacet]) -> list[Event]:
    job.facets = _job_facets(part.kind)
    error = (
        {"errorMessage": error_message_run.ErrorMessageRunFacet(part.error, LANGUAGE)} if part.error else {}
    )
    start = RunEvent(
        eventTime=part.started_at.isoformat(),
        producer=PRODUCER,
        eventType=RunState.START,
        run=Run(run_id, facets),
        job=job,
    )
    end = RunEvent(
        eventTime=part.ended_at.isoformat(),
        producer=PRODUCER,
        eventType=RunState.FAIL if part.error else RunState.COMPLETE,
        run=Run(run_id, facets | error),
        job=job,
        inputs=[*part.inputs],
        outputs=[*part.outputs],
    )
    return [start, end]


def _run_id(namespace: str, result: RunResult, part: JobRun) -> str:
    """Return the id of a part, which is the same if the run is sent again."""
    key = "\0".join([namespace, result.domain, result.run_id, part.job, part.part])
    return str(generate_static_uuid(part.started_at, key.encode()))


def _job_facets(kind: str) -> dict[str, JobFacet]:
    return {"jobType": job_type_job.JobTypeJobFacet("BATCH", "SLUICE", kind)}
