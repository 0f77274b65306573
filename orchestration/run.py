"""Runs the steps of a domain in a shell, each with its metrics; the DAGs call the same functions in their tasks."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ingestion.api.api_resource import ApiResource
from ingestion.load import fetch_records, load_domain, loaded_entities
from ingestion.results import FilesFailedError, LoadSummary
from observability.metrics.dbt_results import keep_results
from observability.metrics.ops_store import MetricsError
from observability.metrics.record import FIND_CHANGES, NOTHING_NEW, PUBLISH, record, run_result
from observability.metrics.run_log import StageMetrics, shell_run_id, stage
from observability.notify import Delivery, notify
from observability.openlineage.emit import emit
from observability.telemetry import export
from orchestration.steps import Kind, Step, steps_of
from publishing.errors import SupersededRunError
from publishing.publish import Publication
from publishing.publish import publish as publish_domain
from publishing.published_check import is_published
from publishing.reports import are_written
from publishing.reports import write_reports as write_domain_reports
from settings import Settings
from transformation import changes
from transformation.build_owner import record_build_owner
from transformation.changes import Changes
from transformation.dbt import REBUILD_VARIABLE, RUN_VARIABLE, DbtError, ensure_manifest, run_dbt
from warehouse import WarehouseBusyError, WarehouseUnavailableError, domain_lock

BUILD = "build"
REPORTS = "reports"
# If the warehouse is busy, the metrics stay in the run log for the next run.
RECORD_WAIT_SECONDS = 60.0

log = logging.getLogger(__name__)


class IncompleteError(RuntimeError):
    """A step did only a part of its work, and to try again at once is of no use; the message gives the reason."""


class LowVolumeError(RuntimeError):
    """Much less data arrived than usual; the message has the numbers."""


@dataclass
class Run:
    """One run of a domain from a shell.

    Attributes:
        domain: the pipeline.
        settings: the data folder and environment.
        full_refresh: build incremental models from scratch.
        rebuild_months: months to rebuild, such as `2022` or `2022-04,2022-05`.
        force_publish: publish even if too much is in quarantine or the marts differ too much.
        reason: why it is forced; the version records it.
        run_id: identifies the run in its metrics.
        changes: what has new input; None before it is known.
        idle: the steps that have nothing to do.
        publication: what was published; None if nothing was.
        failed: the steps that failed, each with its error.
    """

    domain: str
    settings: Settings
    full_refresh: bool = False
    rebuild_months: str = ""
    force_publish: bool = False
    reason: str = ""
    run_id: str = field(default_factory=shell_run_id)
    changes: Changes | None = None
    idle: set[Kind] = field(default_factory=set)
    publication: Publication | None = None
    failed: dict[Step, Exception] = field(default_factory=dict)


def run_domain(run: Run) -> Publication | None:
    """Run the steps of a domain one after another; `run.failed` has those that failed without ending the run.

    What has no new input is skipped, and None is returned if all of it is published.

    A bad file does not stop the load of the other files, nor the rest of the run. A required step that failed ends the
    run after all loads, any other does not. People are notified and the metrics are recorded in any case.

    Raises:
        FilesFailedError, LoadError, DbtError, PublishError, WarehouseBusyError: a required step failed, or nothing of
            an entity could be loaded, now or before; nothing is published.
    """
    # The manifest says whether the domain has reports. If dbt refuses the project, the build fails, after the load.
    with suppress(DbtError):
        ensure_manifest(run.settings)
    steps = [step for step in steps_of(run.domain, run.settings) if step.in_shell]
    last = [step for step in steps if step.kind in (Kind.NOTIFY, Kind.RECORD)]
    checked = False
    try:
        for step in steps:
            if step in last:
                continue
            if step.kind is not Kind.INGEST and not checked:
                _check_loads(run.domain, run.settings, _failed_loads(run))
                checked = True
            if step.kind in run.idle:
                log.info("%s: skipped: %s", step.kind, NOTHING_NEW)
                continue
            try:
                _ACTIONS[step.kind](run, step)
            except Exception as error:
                run.failed[step] = error
                if step.required and not isinstance(error, FilesFailedError):
                    raise
                log.error("%s failed: %s", step.id, error)
    finally:
        for step in last:
            _ACTIONS[step.kind](run, step)
    return run.publication


def ingest(
    domain: str,
    run_id: str,
    settings: Settings,
    entity: str,
    *,
    month: str | None = None,
    file: str | None = None,
    fetched: bool = False,
) -> LoadSummary:
    """Load one entity of a domain, one month or file of it, or what `fetch` read. Raises what `load_domain` raises."""
    name = "_".join(filter(None, ["ingest", entity, month or file]))
    with stage(domain, run_id, name, settings) as measured:
        try:
            summary = load_domain(
                domain,
                settings,
                entities=[entity],
                partitions=[month] if month else None,
                files=[file] if file else None,
                fetched=fetched,
            )
        except FilesFailedError as error:
            _measure(measured, error.summary)
            raise
        _measure(measured, summary)
        return summary


def fetch(domain: str, run_id: str, settings: Settings, entity: str) -> LoadSummary:
    """Read the records of an API for `ingest`. Raises what `fetch_records` raises."""
    # The stage has no rows: `ingest` counts them, and a run's are the sum of its stages.
    with stage(domain, run_id, f"fetch_{entity}", settings):
        return fetch_records(domain, entity, settings)


def enrich(domain: str, run_id: str, settings: Settings, entity: str) -> LoadSummary:
    """Enrich the texts of a domain that are new.

    Raises:
        IncompleteError: some texts are left for the next run.
    """
    summary = ingest(domain, run_id, settings, entity)
    if summary.partial:
        raise IncompleteError("; ".join(filter(None, (result.reason for result in summary.results))))
    return summary


def check_volume(domain: str, settings: Settings, entity: str) -> str:
    """Return how many records of an entity the last whole day has.

    Raises:
        LowVolumeError: it has less than half of the usual volume.
    """
    from ingestion.enrich.volume_check import measure_volume
    from ingestion.registry import resources_of

    (resource,) = [
        resource
        for resource in resources_of(domain)
        if isinstance(resource, ApiResource) and resource.entity == entity
    ]
    found = measure_volume(resource, settings)
    if found.is_low:
        raise LowVolumeError(f"few {entity}: {found}")
    return str(found)


def find_changes(
    domain: str, run_id: str, settings: Settings, *, everything: bool = False, publish_anyway: bool = False
) -> tuple[Changes, set[Kind]]:
    """Find out what of a domain has new input.

    Args:
        domain: the pipeline.
        run_id: the run.
        settings: the data folder and environment.
        everything: leave nothing out.
        publish_anyway: publish also what is published.

    Returns:
        What is to be built and tested, and the steps after that have nothing to do.

    Raises:
        DbtError: dbt refuses the project.
        WarehouseBusyError: another process kept the warehouse.
    """
    with stage(domain, run_id, FIND_CHANGES, settings) as measured:
        found = changes.find_changes(domain, settings, everything=everything)
        idle = set()
        if not found.any:
            idle = {Kind.BUILD, Kind.TEST}
            if not publish_anyway and is_published(domain, settings, found.marts):
                idle.add(Kind.PUBLISH)
                if are_written(domain, settings):
                    idle.add(Kind.REPORT)
            else:
                # Nobody has begun to build since its tests passed; who does so from now on publishes it.
                record_build_owner(domain, run_id, settings)
        measured.note = NOTHING_NEW if Kind.PUBLISH in idle else str(found)
    return found, idle


def build(
    domain: str,
    run_id: str,
    settings: Settings,
    found: Changes,
    *,
    full_refresh: bool = False,
    rebuild_months: str = "",
) -> None:
    """Build and test what `find_changes` found by one `dbt build`, and record that it is built.

    Raises:
        DbtError: a model or a data test failed.
    """
    options = ["--full-refresh"] if full_refresh else []
    with (
        stage(domain, run_id, BUILD, settings),
        domain_lock(settings, domain),
        keep_results(domain, run_id, settings) as variables,
    ):
        record_build_owner(domain, run_id, settings)
        try:
            run_dbt(
                ["build", *found.selection(), *options],
                settings,
                variables={REBUILD_VARIABLE: rebuild_months, RUN_VARIABLE: run_id, **variables},
            )
        finally:
            # Another run may have begun to build meanwhile, and have had the file before dbt.
            record_build_owner(domain, run_id, settings)
    changes.record_built(domain, run_id, found, settings)


def publish(
    domain: str,
    run_id: str,
    settings: Settings,
    *,
    force_publish: bool = False,
    accepted_by: str | None = None,
    reason: str = "",
) -> Publication:
    """Publish a domain's marts, if this run built them last; see `publishing.publish.publish`."""
    with stage(domain, run_id, PUBLISH, settings) as measured:
        try:
            publication = publish_domain(
                domain,
                settings,
                run_id=run_id,
                accept=force_publish,
                accepted_by=accepted_by,
                reason=reason,
                only_own=True,
            )
        except SupersededRunError as error:
            # The stage did not fail: the other run publishes.
            measured.note = str(error)
            superseded = error
        else:
            measured.rows_in = publication.quarantine.rows_read
            measured.rows_out = sum(publication.rows.values())
            measured.rows_failed = publication.quarantine.rows_quarantined
            notes = [f"accepted by hand: {'; '.join(publication.accepted)}"] if publication.accepted else []
            notes += [f"unusual: {each}" for each in publication.unusual]
            measured.note = "; ".join(notes) or None
            return publication
    raise superseded


def write_reports(domain: str, run_id: str, settings: Settings) -> list[Path]:
    """Write a domain's reports. Raises what `publishing.reports.write_reports` raises."""
    with stage(domain, run_id, REPORTS, settings):
        return write_domain_reports(domain, settings)


def announce(
    domain: str,
    run_id: str,
    settings: Settings,
    *,
    failed: Sequence[str],
    links: Mapping[str, str] | None = None,
) -> Delivery:
    """Tell everybody of the end of a run: people, and the receivers of lineage and of telemetry. Raises nothing.

    Args:
        domain: the pipeline.
        run_id: the run.
        settings: recipients and receivers.
        failed: what failed in it and is no failed stage of its metrics.
        links: URLs for people, by label.
    """
    result = run_result(domain, run_id, settings, failed=failed)
    sent = notify(result, settings, links=links)
    emit(result, settings)
    export(result, settings)
    return sent


def _check_loads(domain: str, settings: Settings, failed: Mapping[Step, Exception]) -> None:
    """Check that the failed loads of a run leave something to publish.

    Args:
        domain: the pipeline.
        settings: the data folder and environment.
        failed: the failed loads, each with its error.

    Raises:
        FilesFailedError: one is required, or nothing of its entity was ever loaded; the message has every reason.
    """
    if not failed:
        return
    loaded = loaded_entities(domain, settings)
    ends = [
        error
        for step, error in failed.items()
        if step.required or (step.needs_rows and step.entity not in loaded)
    ]
    bad = [error for error in ends if isinstance(error, FilesFailedError)]
    if len(bad) < len(ends):
        raise next(error for error in ends if error not in bad)
    if bad:
        raise FilesFailedError(
            LoadSummary(domain, tuple(result for error in bad for result in error.summary.results))
        )


def _failed_loads(run: Run) -> dict[Step, Exception]:
    return {step: error for step, error in run.failed.items() if step.kind is Kind.INGEST}


def _measure(measured: StageMetrics, summary: LoadSummary) -> None:
    totals = summary.to_dict()
    measured.rows_in = totals["rows_read"]
    measured.rows_out = totals["rows_loaded"]
    measured.rows_failed = totals["rows_rejected"]
    partial = [result.reason for result in summary.results if result.status == "partial"]
    measured.note = "; ".join(filter(None, partial)) or None


def _ingest(run: Run, step: Step) -> None:
    try:
        summary = ingest(run.domain, run.run_id, run.settings, step.entity)
    except FilesFailedError as error:
        # The results of the other files as well.
        log.info("%s", error.summary)
        raise
    log.info("%s", summary)


def _enrich(run: Run, step: Step) -> None:
    log.info("%s", enrich(run.domain, run.run_id, run.settings, step.entity))


def _check_volume(run: Run, step: Step) -> None:
    log.info("%s", check_volume(run.domain, run.settings, step.entity))


def _find_changes(run: Run, step: Step) -> None:
    run.changes, run.idle = find_changes(
        run.domain,
        run.run_id,
        run.settings,
        everything=run.full_refresh or bool(run.rebuild_months),
        publish_anyway=run.force_publish,
    )
    log.info("%s", run.changes)


def _build(run: Run, step: Step) -> None:
    assert run.changes
    build(
        run.domain,
        run.run_id,
        run.settings,
        run.changes,
        full_refresh=run.full_refresh,
        rebuild_months=run.rebuild_months,
    )


def _publish(run: Run, step: Step) -> None:
    run.publication = publish(
        run.domain, run.run_id, run.settings, force_publish=run.force_publish, reason=run.reason
    )


def _write_reports(run: Run, step: Step) -> None:
    write_reports(run.domain, run.run_id, run.settings)


def _notify(run: Run, step: Step) -> None:
    sent = announce(run.domain, run.run_id, run.settings, failed=_without_stage(run))
    if sent.channels or sent.failed:
        log.info("%s", sent)


def _record(run: Run, step: Step) -> None:
    failed = _without_stage(run)
    try:
        record(run.domain, run.settings, run.run_id, failed=failed, wait_seconds=RECORD_WAIT_SECONDS)
    except (WarehouseBusyError, WarehouseUnavailableError, MetricsError) as error:
        log.warning("the metrics of this run wait for the next one: %s", error)


def _without_stage(run: Run) -> list[str]:
    """The failed steps of which the metrics have no failed stage."""
    return [step.id for step in run.failed if step.kind in (Kind.ENRICH, Kind.CHECK_VOLUME)]


_ACTIONS: dict[Kind, Callable[[Run, Step], None]] = {
    Kind.INGEST: _ingest,
    Kind.ENRICH: _enrich,
    Kind.CHECK_VOLUME: _check_volume,
    Kind.FIND_CHANGES: _find_changes,
    Kind.BUILD: _build,
    Kind.PUBLISH: _publish,
    Kind.REPORT: _write_reports,
    Kind.NOTIFY: _notify,
    Kind.RECORD: _record,
}
