"""Load a domain: new or changed files of its landing folder and records of its APIs, one entity after the other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import settings as settings_module
from ingestion.api.api_resource import ApiResource
from ingestion.api.errors import SourceApiError
from ingestion.enrich.enrichment_resource import EnrichmentResource
from ingestion.files.delivery import delivery_name
from ingestion.files.file_resource import FileResource
from ingestion.files.landing import Watch, find_files, list_deliveries
from ingestion.registry import (
    Resource,
    UnknownEntityError,
    check_partitions,
    file_resources_of,
    resources_of,
    used_resources_of,
)
from ingestion.remote_files import RemoteFiles
from ingestion.results import FilesFailedError, LoadResult, LoadSummary, Status
from ingestion.row_source import RowSource
from settings import Settings


@dataclass(frozen=True)
class LoadOptions:
    """What to load of a domain's resources; see `load_domain`."""

    partitions: Sequence[str] | None = None
    files: Sequence[str] | None = None
    limit: int | None = None
    refresh: bool = False
    fetched: bool = False
    reload: Sequence[str] = ()


# Each loader is imported when it is needed, because dlt takes a second.
def _load_files(resource: FileResource, settings: Settings, options: LoadOptions) -> list[LoadResult]:
    from ingestion.files.load_files import load_files

    results = []
    if resource.source and not (options.fetched or options.files or options.reload):
        fetched = _fetch_source(resource, settings)
        results = [result for result in fetched if result.status in ("failed", "deferred")]
        if results and isinstance(resource.source, RowSource):
            return results
    siblings = file_resources_of(resource.domain)
    names = options.files
    if options.reload:
        names = [name for name in options.reload if resource.matches(name)]
    return results + load_files(
        resource,
        siblings,
        settings,
        partitions=options.partitions,
        names=names,
        reload=bool(options.reload),
    )


def _fetch_source(resource: FileResource, settings: Settings) -> list[LoadResult]:
    from ingestion.extract.extract import extract
    from ingestion.extract.fetch_files import fetch_files
    from ingestion.extract.state import ExtractError

    if isinstance(resource.source, RemoteFiles):
        return fetch_files(resource, settings)
    try:
        return [extract(resource, settings)]
    except ExtractError as error:
        return [LoadResult(f"{resource.entity}.jsonl", resource.entity, "failed", reason=str(error))]


def _load_api(resource: ApiResource, settings: Settings, options: LoadOptions) -> list[LoadResult]:
    from ingestion.api.load_api import load_api, load_fetched

    try:
        if options.fetched:
            return [load_fetched(resource, settings)]
        return [load_api(resource, settings, limit=options.limit)]
    except SourceApiError as error:
        return [_unread(resource, error)]


def _unread(resource: ApiResource, error: SourceApiError) -> LoadResult:
    is_deferred = resource.is_optional and not resource.settings().api_url
    status: Status = "deferred" if is_deferred else "failed"
    return LoadResult(resource.source_file, resource.entity, status, reason=str(error))


def _enrich(resource: EnrichmentResource, settings: Settings, options: LoadOptions) -> list[LoadResult]:
    from ingestion.enrich.enrich import enrich

    return [enrich(resource, settings, limit=options.limit, refresh=options.refresh)]


LOADERS: dict[type, Callable[..., list[LoadResult]]] = {
    FileResource: _load_files,
    ApiResource: _load_api,
    EnrichmentResource: _enrich,
}


def load_domain(
    domain: str,
    settings: Settings | None = None,
    *,
    entities: Sequence[str] | None = None,
    partitions: Sequence[str] | None = None,
    files: Sequence[str] | None = None,
    limit: int | None = None,
    refresh: bool = False,
    fetched: bool = False,
    reload: Sequence[str] = (),
) -> LoadSummary:
    """Load what is new or changed in a domain's landing folder and APIs; safe to repeat at any time.

    Runs for single entities add up to one for the whole domain, in any order: each takes its own
    lines of the corrections. What belongs to no entity (a file whose name no resource matches, a
    line of corrections that cannot be split) is reported and counted with the domain's first entity.

    Args:
        domain: one of `ingestion.registry.domains()`.
        settings: defaults to those of the environment.
        entities: what to load, by the names of its resources; all if not given.
        partitions: the partitions of them to load (months as `2024-05`); all if not given.
        files: names of the files to load; all if not given. A missing or unfinished one is deferred.
        limit: take at most this many records of an API, and enrich at most this many texts.
        refresh: enrich texts again that were enriched by another prompt, or without success.
        fetched: load the records that `fetch_records` has read, and do not read the API.
        reload: names of files to load once more, although their content is loaded; nothing else is loaded then.

    Raises:
        UnknownDomainError: there is no such domain.
        UnknownEntityError: the domain has no such entity.
        UnknownPartitionError: one of the entities does not have such partitions.
        FilesFailedError: some files could not be loaded; all others were.
        LoadError: dlt could not write.
        WarehouseBusyError: another process kept the warehouse.
    """
    resources = _select(domain, entities, partitions)
    settings = settings or settings_module.load()
    if reload:
        resources = [resource for resource in resources if isinstance(resource, FileResource)]
    options = LoadOptions(partitions, files, limit, refresh, fetched, reload)
    results = [
        result for resource in resources for result in LOADERS[type(resource)](resource, settings, options)
    ]
    taken = {result.name for result in results}
    results += [
        LoadResult(name, "none", "failed", reason="no resource takes files of this name")
        for name in reload
        if name not in taken
    ]
    summary = LoadSummary(domain, tuple(results))
    if summary.failed:
        raise FilesFailedError(summary)
    return summary


def fetch_records(domain: str, entity: str, settings: Settings) -> LoadSummary:
    """Read the new and changed records of an API, or rows or files of a source, into files for `load_domain`; safe to repeat.

    Raises:
        UnknownDomainError: there is no such domain.
        UnknownEntityError: the domain has no such entity.
        FilesFailedError: the API or source could not be read.
        LoadError: dlt could not create the raw table.
        WarehouseBusyError: another process kept the warehouse.
    """
    from ingestion.api.load_api import fetch, fetched_file

    (resource,) = _select(domain, [entity], None)
    if isinstance(resource, FileResource):
        extracted = LoadSummary(domain, tuple(_fetch_source(resource, settings)))
        if extracted.failed:
            raise FilesFailedError(extracted)
        return extracted
    assert isinstance(resource, ApiResource)
    try:
        batch = fetch(resource, settings)
    except SourceApiError as error:
        summary = LoadSummary(domain, (_unread(resource, error),))
        if summary.failed:
            raise FilesFailedError(summary) from error
        return summary
    batch.save(fetched_file(resource, settings))
    count = len(batch.rows) + len(batch.rejected)
    return LoadSummary(domain, (LoadResult(resource.source_file, entity, "loaded", count),))


def _select(
    domain: str, entities: Sequence[str] | None, partitions: Sequence[str] | None
) -> Sequence[Resource]:
    resources = resources_of(domain)
    known = [resource.name for resource in resources]
    if unknown := [entity for entity in entities or () if entity not in known]:
        raise UnknownEntityError(
            f"{domain} has no entity {', '.join(map(repr, unknown))}; there are: {', '.join(known)}"
        )
    if entities is None:
        selected = used_resources_of(domain)
    else:
        selected = [resource for resource in resources if resource.name in entities]
    if partitions is not None:
        for resource in selected:
            check_partitions(resource, partitions)
    return selected


def partitions_of(domain: str, settings: Settings) -> list[str]:
    """Return the partitions (months) whose files are in a domain's landing folder.

    Raises:
        UnknownDomainError: there is no such domain.
    """
    landing = settings.landing(domain)
    resources = file_resources_of(domain) if landing.exists() else []
    found = {
        resource.partition_of(path.name) for resource in resources for path in find_files(resource, landing)
    }
    return sorted(partition for partition in found if partition)


def loaded_entities(domain: str, settings: Settings) -> set[str]:
    """Return the entities of a domain of which at least one file, or the API, is loaded.

    Raises:
        WarehouseBusyError: another process kept the warehouse.
    """
    from warehouse import read_connection, warehouse_exists

    if not warehouse_exists(settings):
        return set()
    with read_connection(settings) as warehouse:
        if not warehouse.columns(f"raw_{domain}", "file_loads"):
            return set()
        found = warehouse.execute(
            f"select distinct entity from raw_{domain}.file_loads where status = 'loaded'"
        )
        return {entity for (entity,) in found.fetchall()}


def complete_files(domain: str, settings: Settings) -> list[str]:
    """Return the names of the complete files in a domain's landing folder, in the order of loading.

    Waits for files that are being written, but no longer than they must be unchanged.
    """
    landing = settings.landing(domain)
    if not landing.exists():
        return []
    watch = Watch(settings.file_stable_seconds)
    watch.wait(lambda: list_deliveries(landing))
    return [delivery_name(path) for path in list_deliveries(landing) if watch.is_complete(path)]
