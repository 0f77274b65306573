"""The stages of a run, each of which leaves its metrics; and all of them in turn, without Airflow."""

import sys
from pathlib import Path

from ingestion.load import entities_of, load_domain, moves_files
from ingestion.results import FilesFailedError, LoadSummary
from observability.metrics.dbt_results import results_kept
from observability.metrics.journal import Measured, shell_run_id, stage
from observability.metrics.ops_store import MetricsError
from observability.metrics.record import PUBLISH, outcome, record
from observability.notify import notify
from publishing.errors import SupersededRunError
from publishing.publish import Publication
from publishing.publish import publish as publish_domain
from publishing.reports import REPORTS as DOMAINS_WITH_REPORTS
from publishing.reports import write_reports as write_domain_reports
from settings import Settings
from transformation.build_owner import record_build_owner
from transformation.dbt import REBUILD_VARIABLE, UNIT_TESTS, run_dbt, selectors
from warehouse import WarehouseBusyError, domain_lock

BUILD = "build"
REPORTS = "reports"
# Metrics wait in the journal for the next run rather than keep this one.
RECORD_WAIT_SECONDS = 60.0


def elt(
    domain: str,
    settings: Settings,
    *,
    full_refresh: bool = False,
    rebuild: str = "",
    accept: bool = False,
) -> Publication:
    """Run the stages one after another; the first that fails stops the rest.

    In a domain whose broken files leave the landing folder, the rest goes on without them, and the run fails at its end.

    Args:
        domain: the pipeline.
        settings: which data folder and environment.
        full_refresh: build incremental models anew.
        rebuild: months to build anew, such as `2022` or `2022-04,2022-05`.
        accept: publish whatever is in quarantine and however much differs from what is published.

    Raises:
        FilesFailedError: a file could not be loaded; nothing is published, unless the rest went on without it.
        DbtError, PublishError, WarehouseBusyError: see the stages; nothing is published.
        ReportError: the marts are published, a report could not be written.
    """
    run_id = shell_run_id()
    try:
        failure = _ingest_all(domain, run_id, settings)
        if failure and not moves_files(domain):
            raise failure
        with stage(domain, run_id, BUILD, settings):
            options = ["--full-refresh"] if full_refresh else []
            select = ["--select", *selectors(domain), "--exclude", UNIT_TESTS]
            with domain_lock(settings, domain), results_kept(domain, run_id, settings) as variables:
                record_build_owner(domain, run_id, settings)
                try:
                    run_dbt(
                        ["build", *select, *options],
                        settings,
                        variables={REBUILD_VARIABLE: rebuild, **variables},
                    )
                finally:
                    # Another run may have begun to build meanwhile, and have had the file before dbt.
                    record_build_owner(domain, run_id, settings)
        publication = publish(domain, run_id, settings, accept=accept)
        if domain in DOMAINS_WITH_REPORTS:
            write_reports(domain, run_id, settings)
        if failure:
            raise failure
    finally:
        sent = notify(outcome(domain, run_id, settings), settings)
        if sent.ways or sent.failed:
            print(sent, file=sys.stderr)
        _record(domain, run_id, settings)
    return publication


def ingest(
    domain: str,
    run_id: str,
    settings: Settings,
    entity: str,
    *,
    month: str | None = None,
    file: str | None = None,
) -> LoadSummary:
    """Load one entity of a domain, or one month or file of it. Raises what `load_domain` raises."""
    name = "_".join(filter(None, ["ingest", entity, month or file]))
    with stage(domain, run_id, name, settings) as measured:
        try:
            summary = load_domain(
                domain,
                settings,
                entities=[entity],
                partitions=[month] if month else None,
                files=[file] if file else None,
            )
        except FilesFailedError as error:
            _measure(measured, error.summary)
            raise
        _measure(measured, summary)
        return summary


def publish(domain: str, run_id: str, settings: Settings, *, accept: bool = False) -> Publication:
    """Publish a domain's marts, if this run built them last. Raises what `publishing.publish.publish` raises."""
    with stage(domain, run_id, PUBLISH, settings) as measured:
        try:
            publication = publish_domain(domain, settings, run_id=run_id, accept=accept, only_own=True)
        except SupersededRunError as error:
            # No failure of this run.
            measured.note = str(error)
            left = error
        else:
            return _measure_publication(measured, publication)
    raise left


def _measure_publication(measured: Measured, publication: Publication) -> Publication:
    measured.rows_in = publication.quarantine.rows_read
    measured.rows_out = sum(publication.rows.values())
    measured.rows_failed = publication.quarantine.rows_quarantined
    if publication.accepted:
        measured.note = f"accepted by hand: {'; '.join(publication.accepted)}"
    return publication


def write_reports(domain: str, run_id: str, settings: Settings) -> list[Path]:
    """Write a domain's reports. Raises what `publishing.reports.write_reports` raises."""
    with stage(domain, run_id, REPORTS, settings):
        return write_domain_reports(domain, settings)


def _ingest_all(domain: str, run_id: str, settings: Settings) -> FilesFailedError | None:
    """Load all entities; one with a bad file, which is returned as an error, does not stop the others."""
    files, failed = [], False
    for entity in entities_of(domain):
        try:
            summary = ingest(domain, run_id, settings, entity)
        except FilesFailedError as error:
            summary, failed = error.summary, True
        files += summary.results
    whole = LoadSummary(domain, tuple(files))
    print(whole, flush=True)
    return FilesFailedError(whole) if failed else None


def _measure(measured: Measured, summary: LoadSummary) -> None:
    totals = summary.to_dict()
    measured.rows_in = totals["rows_read"]
    measured.rows_out = totals["rows_loaded"]
    measured.rows_failed = totals["rows_rejected"]
    measured.note = "; ".join(file.reason for file in summary.results if file.status == "partial") or None


def _record(domain: str, run_id: str, settings: Settings) -> None:
    try:
        record(domain, settings, run_id, wait_seconds=RECORD_WAIT_SECONDS)
    except (WarehouseBusyError, MetricsError) as error:
        print(f"the metrics of this run wait for the next one: {error}", file=sys.stderr)
