"""The steps of a run as tasks of a scheduler: one part of a load each, with the decision whether there is anything to do.

The task of a step calls `run_step`. The models and their data tests have tasks of their own.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from ingestion.download.download import DownloadError
from ingestion.download.partition import NothingToLoadError, download_partition, months_to_load
from ingestion.enrich.enrichment_resource import EnrichmentResource
from ingestion.load import complete_files, loaded_entities, partitions_of
from ingestion.registry import UnknownPartitionError, resources_of
from ingestion.results import FilesFailedError, LoadSummary
from observability.metrics.record import record
from observability.notify import Message, send
from orchestration.run import (
    IncompleteError,
    LowVolumeError,
    announce,
    check_volume,
    enrich,
    fetch,
    find_changes,
    ingest,
    publish,
    write_reports,
)
from orchestration.steps import Kind, Step
from publishing.errors import PublishStoppedError, SupersededRunError
from settings import Settings

# How long after its end a month may be published, for a DAG that does not catch up with the past.
LATE = timedelta(days=92)

log = logging.getLogger(__name__)


class NothingToDoError(RuntimeError):
    """There is nothing to do for a task; the message says what is missing."""


class NothingLoadedError(RuntimeError):
    """Every part of a load failed, or nothing of an entity was ever loaded."""


# A task that raises one of these is skipped, and so is what follows it.
NOTHING_TO_DO = (NothingToDoError, NothingToLoadError, SupersededRunError)
# A second try would fail in the same way.
FINAL = (
    FilesFailedError,
    IncompleteError,
    LowVolumeError,
    NothingLoadedError,
    PublishStoppedError,
    UnknownPartitionError,
)


@dataclass(frozen=True)
class TaskRun:
    """The run that a task belongs to.

    Attributes:
        domain: the pipeline.
        run_id: the run.
        settings: the data folder and environment.
        params: the parameters of the run.
        interval: the start of its interval; None for a manual run.
        is_scheduled: whether the scheduler made it by the clock.
        start: the first day of a DAG that catches up with the past; None for one that does not.
        failed: returns the tasks of the run that have failed so far.
        page: URL of the run.
        started_by: who started it by hand; None for a scheduler.
        rebuild_months: the months to rebuild, such as `2022` or `2022-04`; empty for none.
        max_parts: how many parts a load may have; the next run has the rest.
    """

    domain: str
    run_id: str
    settings: Settings
    params: Mapping[str, Any]
    interval: datetime | None
    is_scheduled: bool
    start: date | None
    failed: Callable[[], list[str]]
    page: str
    started_by: str | None
    rebuild_months: str
    max_parts: int


def run_step(run: TaskRun, step: Step, part: Any = None) -> Any:
    """Do a step's work, and return JSON-ready values.

    Args:
        run: the run.
        step: the step; not one of dbt's.
        part: the month or file of a load; for a step that follows a load, its result.

    Raises:
        NOTHING_TO_DO: the task is to be skipped.
        FINAL: the task has failed and a retry would fail again; any other error may be retried.
    """
    return _ACTIONS[step.kind](run, step, part)


def check_loaded(step: Step, *, loaded: bool, failed: bool) -> None:
    """Decide whether a run goes on after the loads of its parts; it does if there was none, see `find_changes`.

    Raises:
        NothingLoadedError: some parts failed and none was loaded.
    """
    if failed and not loaded:
        raise NothingLoadedError(f"none of the {step.parts}s could be loaded")


def check_entities(domain: str, settings: Settings, failed: Sequence[Step]) -> None:
    """Decide whether a run goes on after the loads of its entities: it does without the files that are bad.

    Args:
        domain: the pipeline.
        settings: the data folder and environment.
        failed: the loads that failed.

    Raises:
        NothingLoadedError: nothing of an entity was ever loaded.
    """
    missing = {step.entity for step in failed if step.needs_rows} - loaded_entities(domain, settings)
    if missing:
        raise NothingLoadedError(f"nothing is loaded of: {', '.join(sorted(missing))}")


def _is_forced(params: Mapping[str, Any]) -> bool:
    """Whether the parameters ask for work on what was loaded before."""
    return any(params[name] for name in ("full_refresh", "years", "force_publish"))


def _list_parts(run: TaskRun, step: Step, _: None) -> Sequence[str]:
    if step.parts == "file":
        return complete_files(run.domain, run.settings)[: run.max_parts]
    if run.interval:
        month = run.interval.strftime("%Y-%m")
        if not run.is_scheduled:
            return [month]
        first = run.start or (run.interval - LATE).date()
        return months_to_load(run.domain, first, month, run.settings)
    return run.params["months"] or partitions_of(run.domain, run.settings)


def _download(run: TaskRun, step: Step, month: str) -> str:
    try:
        found = download_partition(run.domain, month, run.settings)
    except DownloadError as error:
        # Without the chain of causes, which may show a URL with its credentials.
        raise DownloadError(str(error)) from None
    log.info("%s: %s", found.path.name, found.status)
    return month


def _fetch(run: TaskRun, step: Step, part: Any) -> dict[str, Any]:
    _check_arrived(run, part)
    return _not_deferred(fetch(run.domain, run.run_id, run.settings, step.entity))


def _ingest(run: TaskRun, step: Step, part: Any) -> dict[str, Any]:
    _check_arrived(run, part)
    parts = {step.parts: part} if step.parts else {}
    return _not_deferred(
        ingest(run.domain, run.run_id, run.settings, step.entity, fetched=step.fetched, **parts)
    )


def _check_arrived(run: TaskRun, part: Any) -> None:
    if part == [] and not _is_forced(run.params):
        raise NothingToDoError("no file has arrived")


def _not_deferred(summary: LoadSummary) -> dict[str, Any]:
    deferred = [result.reason or "" for result in summary.results if result.status == "deferred"]
    if deferred and len(deferred) == len(summary.results):
        raise NothingToDoError("; ".join(sorted({*deferred})))
    return summary.to_dict()


def _check_for_new_data(run: TaskRun, step: Step, loaded: Mapping[str, Any]) -> None:
    """Go on if something is new, waits to be enriched, or was loaded and not published."""
    from ingestion.enrich.enrich import count_waiting
    from ingestion.enrich.volume_check import measure_volume
    from publishing.store import store_of

    enrichments = [each for each in resources_of(run.domain) if isinstance(each, EnrichmentResource)]
    (enrichment,) = [each for each in enrichments if each.articles.entity == step.entity]
    loaded_at = measure_volume(enrichment.articles, run.settings).loaded_at
    # The newest version, not the active one: the next run must not undo a rollback.
    versions = store_of(run.domain, run.settings).versions()
    published = versions and loaded_at and datetime.fromisoformat(versions[-1].facts["made_at"]) > loaded_at
    new = loaded["rows_loaded"] or _is_forced(run.params) or count_waiting(enrichment, run.settings)
    if published and not new:
        raise NothingToDoError(f"no new {step.entity}")


def _enrich(run: TaskRun, step: Step, _: None) -> dict[str, Any]:
    return enrich(run.domain, run.run_id, run.settings, step.entity).to_dict()


def _check_volume(run: TaskRun, step: Step, _: None) -> str:
    return check_volume(run.domain, run.settings, step.entity)


def _find_changes(run: TaskRun, step: Step, _: None) -> dict[str, Any]:
    found, idle = find_changes(
        run.domain,
        run.run_id,
        run.settings,
        everything=bool(run.params["full_refresh"] or run.rebuild_months),
        publish_anyway=run.params["force_publish"],
    )
    log.info("%s", found)
    return {"changes": found.to_dict(), "idle": sorted(idle)}


def _publish(run: TaskRun, step: Step, _: None) -> dict[str, Any]:
    return publish(
        run.domain,
        run.run_id,
        run.settings,
        force_publish=run.params["force_publish"],
        accepted_by=run.started_by,
        reason=run.params["reason"],
    ).to_dict()


def publish_approved(run: TaskRun, accepted_by: str, reason: str) -> dict[str, Any]:
    """Publish in spite of exceeded limits, because somebody has decided it; raises as `run_step` does."""
    return publish(
        run.domain, run.run_id, run.settings, force_publish=True, accepted_by=accepted_by, reason=reason
    ).to_dict()


def ask_for_decision(run: TaskRun, stopped: PublishStoppedError) -> None:
    """Notify people that a run waits for their decision whether it publishes."""
    lines = [f"run: {run.run_id}", *str(stopped).splitlines(), f"decide: {run.page}"]
    subject = f"{run.domain} waits for a decision ({run.settings.env})"
    log.info("%s", send(Message(subject, lines, run.domain), run.settings))


def _write_reports(run: TaskRun, step: Step, _: None) -> list[str]:
    return [str(path) for path in write_reports(run.domain, run.run_id, run.settings)]


def _notify(run: TaskRun, step: Step, _: None) -> None:
    log.info(
        "%s",
        announce(run.domain, run.run_id, run.settings, failed=run.failed(), links={"Airflow": run.page}),
    )


def _record(run: TaskRun, step: Step, _: None) -> None:
    record(run.domain, run.settings, run.run_id, failed=run.failed())


_ACTIONS: dict[Kind, Callable[[TaskRun, Step, Any], Any]] = {
    Kind.LIST_PARTS: _list_parts,
    Kind.DOWNLOAD: _download,
    Kind.FETCH: _fetch,
    Kind.INGEST: _ingest,
    Kind.CHECK_NEW: _check_for_new_data,
    Kind.ENRICH: _enrich,
    Kind.CHECK_VOLUME: _check_volume,
    Kind.FIND_CHANGES: _find_changes,
    Kind.PUBLISH: _publish,
    Kind.REPORT: _write_reports,
    Kind.NOTIFY: _notify,
    Kind.RECORD: _record,
}
