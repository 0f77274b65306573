"""Loads new and changed records of an API into its raw table, in two steps: `fetch` reads the API, `load_batch` writes.

The raw table has one row per record, as it was delivered last. Records are compared before anything is written, so a
load without changes writes nothing. The next load starts at the latest time in the rows of completed loads, or with the
times that the last load left.

`dlt.sources.incremental` cannot hold this: its state would advance after a partial read, with a time in the future, and
with rows that a killed load left behind; here each of these is read again.
"""

from pathlib import Path

from ingestion.api.api_resource import ApiResource
from ingestion.api.api_table import ApiTable
from ingestion.api.batch import Batch, Collector
from ingestion.api.errors import PartialReadError, SourceApiError
from ingestion.api.settings import ApiLimits
from ingestion.results import LoadResult
from ingestion.retry_policy import RetryPolicy
from settings import Settings
from warehouse import connect

DEFAULT_POLICY = RetryPolicy()


def load_api(
    resource: ApiResource,
    settings: Settings,
    *,
    limit: int | None = None,
    policy: RetryPolicy = DEFAULT_POLICY,
) -> LoadResult:
    """Load new and changed records; safe to repeat at any time. See `fetch` and `load_batch` for what it raises.

    Args:
        resource: what to load.
        settings: data folder and environment.
        limit: take at most this many records; the next load without a limit reads all of them.
        policy: when to retry a request.

    Returns:
        The result: `partial`, with the reason, if the API did not return everything.
    """
    return load_batch(resource, settings, fetch(resource, settings, limit=limit, policy=policy))


def fetch(
    resource: ApiResource,
    settings: Settings,
    *,
    limit: int | None = None,
    policy: RetryPolicy = DEFAULT_POLICY,
) -> Batch:
    """Read new and changed records from the API; the warehouse is only opened to find where to start.

    Raises:
        SourceApiError: the API could not be read; the next call starts where this one did.
        SettingsError: a variable of the API has an invalid value.
        LoadError: dlt could not create the raw table.
        WarehouseBusyError: another process kept the warehouse.
    """
    limits = ApiLimits()
    settings.dlt_dir.mkdir(parents=True, exist_ok=True)
    with connect(settings, resource.domain) as warehouse:
        start = ApiTable(resource, settings, warehouse).start()
        collector = Collector(resource, start, limits.max_columns, warehouse.normalize_column_name)
    batch = collector.batch
    try:
        for page in resource.read(settings, start.since, policy, start.unread):
            collector.add(page[: None if limit is None else limit - batch.position])
            if batch.position == limit:
                batch.reason = f"the first {limit} only"
                break
    except PartialReadError as error:
        batch.reason, batch.is_partial, batch.unread = str(error), True, error.unread
    return batch


def load_batch(resource: ApiResource, settings: Settings, batch: Batch) -> LoadResult:
    """Load what `fetch` read.

    Raises:
        LoadError: dlt could not write.
        WarehouseBusyError: another process kept the warehouse.
    """
    with connect(settings, resource.domain) as warehouse:
        return ApiTable(resource, settings, warehouse).write(batch)


def fetched_file(resource: ApiResource, settings: Settings) -> Path:
    """Return the path of the records that `fetch` read in one task, for another one to load."""
    name = f"{settings.warehouse_name}_{resource.domain}_{resource.entity}.jsonl"
    return settings.dlt_dir / "fetched" / name


def load_fetched(resource: ApiResource, settings: Settings) -> LoadResult:
    """Load what a fetch has saved, and remove it; safe to repeat, also after a kill.

    Raises:
        SourceApiError: nothing is saved.
        LoadError: dlt could not write.
        WarehouseBusyError: another process kept the warehouse.
    """
    path = fetched_file(resource, settings)
    try:
        batch = Batch.read(path)
    except FileNotFoundError:
        raise SourceApiError(
            f"no records of {resource.entity} wait to be loaded; run fetch_{resource.name} first"
        ) from None
    result = load_batch(resource, settings, batch)
    path.unlink(missing_ok=True)
    return result
