"""What the tasks of a DAG do beyond the steps of a shell: divide a load, and decide whether a run has anything to do."""

import logging
from datetime import datetime

from ingestion.download.download import DownloadError
from ingestion.download.partition import NothingToLoadError, download_partition
from ingestion.enrich.enrichment_resource import EnrichmentResource
from ingestion.load import complete_files, partitions_of
from ingestion.registry import UnknownPartitionError, resources_of
from ingestion.results import FilesFailedError, LoadSummary
from observability.metrics.record import run_result
from observability.notify import notify
from orchestration.run import IncompleteError, LowVolumeError, ingest
from publishing.errors import PublishStoppedError, SupersededRunError
from settings import Settings

log = logging.getLogger(__name__)


class NothingToDoError(RuntimeError):
    """There is nothing to do for a task; the message says what is missing."""


class NothingLoadedError(RuntimeError):
    """Every part of a load failed."""


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


def load_part(domain: str, run_id: str, settings: Settings, entity: str, **part: str) -> LoadSummary:
    """Load an entity, or one `month` or `file` of it.

    Raises:
        FilesFailedError: a file could not be loaded.
        NothingToDoError: every file is deferred to a later run.
    """
    summary = ingest(domain, run_id, settings, entity, **part)
    deferred = [result.reason or "" for result in summary.results if result.status == "deferred"]
    if deferred and len(deferred) == len(summary.results):
        raise NothingToDoError("; ".join(sorted({*deferred})))
    return summary


def months_of_run(domain: str, settings: Settings, interval: datetime | None, asked: list[str]) -> list[str]:
    """Return the month of a run's interval; for a manual run the months asked for, or else all months in landing."""
    if interval:
        return [interval.strftime("%Y-%m")]
    return asked or partitions_of(domain, settings)


def download_month(domain: str, month: str, settings: Settings) -> str:
    """Download the file of a month, if it is offered and not there; return the month.

    Raises:
        NothingToLoadError: the month is not available yet.
        UnknownPartitionError: that is no month.
        DownloadError: the file could not be downloaded.
    """
    try:
        found = download_partition(domain, month, settings)
    except DownloadError as error:
        # Without the chain of causes, which may show a URL with its credentials.
        raise DownloadError(str(error)) from None
    log.info("%s: %s", found.path.name, found.status)
    return month


def files_of_run(domain: str, settings: Settings) -> list[str]:
    """Return the names of the complete files in landing, in the order of loading."""
    return complete_files(domain, settings)


def check_loaded(
    domain: str, settings: Settings, parts: str, *, loaded: bool, failed: bool, forced: bool
) -> None:
    """Decide whether a run goes on after the loads of its parts.

    It also does if an earlier run did not publish all that it had loaded.

    Raises:
        NothingLoadedError: some parts failed and none was loaded.
        NothingToDoError: there was nothing to load.
    """
    from publishing.published_check import has_all

    if loaded:
        return
    if failed:
        raise NothingLoadedError(f"none of the {parts} could be loaded")
    # A month that is not available leaves nothing to publish; files may have come from a shell.
    if not (forced or (parts == "files" and not has_all(domain, settings))):
        raise NothingToDoError(f"there are no new {parts}")


def check_for_new_data(domain: str, settings: Settings, enrichment: str, *, new: bool) -> None:
    """Decide whether a run goes on: something is new, waits to be enriched, or was loaded and not published.

    Raises:
        NothingToDoError: there is nothing to do.
    """
    from ingestion.enrich.enrich import count_waiting
    from ingestion.enrich.volume_check import measure_volume
    from publishing.store import store_of

    (resource,) = [
        each
        for each in resources_of(domain)
        if isinstance(each, EnrichmentResource) and each.entity == enrichment
    ]
    loaded_at = measure_volume(resource.articles, settings).loaded_at
    # The newest version, not the active one: the next run must not undo a rollback.
    versions = store_of(domain, settings).versions()
    published = versions and loaded_at and datetime.fromisoformat(versions[-1].facts["made_at"]) > loaded_at
    if not (new or count_waiting(resource, settings) or not published):
        raise NothingToDoError("no new articles")


def notify_of_run(domain: str, run_id: str, settings: Settings, failed: list[str], page: str) -> None:
    """Tell people how a run ended, if the settings say so.

    Args:
        domain: the pipeline.
        run_id: the run.
        settings: which channels, and of which results.
        failed: the tasks that failed.
        page: URL of the run in Airflow.
    """
    ended = run_result(domain, run_id, settings, failed=failed)
    log.info("%s", notify(ended, settings, links={"Airflow": page}))
