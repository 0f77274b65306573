"""A domain's run: every new or changed file of its landing folder and record of its APIs into raw, one by one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import settings as settings_module
from common.files import work_folder
from ingestion.files.file_resource import FileResource
from ingestion.files.landing import (
    checksum_of,
    delivered,
    is_complete,
    move_to_archive,
    refuse,
    state_of,
    wait_until_complete,
)
from ingestion.files.load_file import FileLoader
from ingestion.loader.loader import RawLoader
from ingestion.registry import entities_of, feeds_of
from ingestion.results import FilesFailedError, LoadResult, LoadSummary
from settings import Settings


class UnknownEntityError(ValueError):
    """The domain has no such entity; the message names those it has."""


def partitions_of(domain: str, settings: Settings) -> list[str]:
    """The parts (months) of which files are in a domain's landing folder.

    Raises:
        UnknownDomainError: there is no such domain.
    """
    landing = settings.landing(domain)
    feeds = [feed for feed in feeds_of(domain) if isinstance(feed, FileResource) and landing.exists()]
    files = [(feed, path) for feed in feeds for path in feed.files(landing)]
    return sorted({part for feed, path in files if (part := feed.partition_of(path.name))})


def moves_files(domain: str) -> bool:
    """Whether a domain's files leave its landing folder when they are loaded.

    Raises:
        UnknownDomainError: there is no such domain.
    """
    return any(feed.moves_files for feed in feeds_of(domain) if isinstance(feed, FileResource))


def arrived(domain: str, settings: Settings) -> list[str]:
    """Names of the complete files in a domain's landing folder, in the order of loading."""
    landing = settings.landing(domain)
    files = delivered(landing) if landing.exists() else []
    return [path.name for path in files if is_complete(path, settings.file_stable_seconds)]


def load_domain(
    domain: str,
    settings: Settings | None = None,
    *,
    entities: Sequence[str] | None = None,
    partitions: Sequence[str] | None = None,
    files: Sequence[str] | None = None,
    limit: int | None = None,
    anew: bool = False,
) -> LoadSummary:
    """Load all new or changed files of a domain's landing folder, and records of its APIs; safe to repeat at any time.

    Runs for single entities add up to one for the whole domain, in any order: each takes its own
    lines of the corrections, and what belongs to no entity (a file of no feed's name, a line of
    corrections that cannot be split) is reported and counted with the domain's first entity.

    Args:
        domain: one of `domains()`.
        settings: defaults to those of the environment.
        entities: which of `entities_of(domain)`; all if not given.
        partitions: which parts of them (months as `2024-05`); all if not given.
        files: names of the files to load; all if not given. One that is gone, or is being written, is left.
        limit: of an API, take no more records than these, for trying.
        anew: enrich articles again that were enriched by another prompt, or in vain.

    Raises:
        UnknownDomainError: there is no such domain.
        UnknownEntityError: the domain has no such entity.
        UnknownPartitionError: one of the entities is not delivered in such parts.
        FilesFailedError: after all other files were loaded, if some could not be.
        LoadError: dlt could not write.
        WarehouseBusyError: another process kept the warehouse.
    """
    feeds = feeds_of(domain)
    known = entities_of(domain)
    if unknown := [entity for entity in entities or () if entity not in known]:
        raise UnknownEntityError(
            f"{domain} has no entity {', '.join(map(repr, unknown))}; there are: {', '.join(known)}"
        )
    settings = settings or settings_module.load()
    wanted = [feed for feed in feeds if entities is None or feed.entity in entities]
    if partitions is not None:
        for feed in wanted:
            feed.check_partitions(partitions)
    of_files = [feed for feed in feeds if isinstance(feed, FileResource)]
    results = []
    for feed in wanted:
        if isinstance(feed, FileResource):
            results += _load_feed(feed, of_files, settings, partitions, files)
        else:
            results.append(feed.load(settings, limit=limit, anew=anew))
    summary = LoadSummary(domain, tuple(results))
    if summary.failed:
        raise FilesFailedError(summary)
    return summary


def _load_feed(
    feed: FileResource,
    feeds: Sequence[FileResource],
    settings: Settings,
    partitions: Sequence[str] | None,
    names: Sequence[str] | None,
) -> list[LoadResult]:
    landing = settings.landing(feed.domain)
    landing.mkdir(parents=True, exist_ok=True)
    settings.dlt_dir.mkdir(parents=True, exist_ok=True)

    def wanted() -> list[Path]:
        found = feed.files(landing)
        if partitions is not None:
            found = [path for path in found if feed.partition_of(path.name) in partitions]
        return found if names is None else [path for path in found if path.name in names]

    if feed.moves_files:
        wait_until_complete(wanted, settings.file_stable_seconds)
    with (
        RawLoader.open(feed, settings) as store,
        work_folder(settings.dlt_dir / f"parse_{settings.warehouse_name}_{feed.domain}") as work,
    ):
        loader = FileLoader(feed, feeds, store, work)
        # Another run may have had the warehouse, and the files, until now.
        files = wanted()
        results = []
        for path in files:
            if feed.moves_files:
                results.append(_load_and_move(path, feed, loader, store, settings))
            elif double := _double(feed, path, files):
                results.append(loader.refuse_double(path, double.name))
            else:
                results.append(loader.load(path))
        if names is not None:
            gone = sorted({*names} - {path.name for path in files})
            results += [LoadResult(name, feed.entity, "deferred", reason="it is not there") for name in gone]
        elif partitions is not None:
            there = {feed.partition_of(path.name) for path in files}
            results += [_missing(feed, partition) for partition in partitions if partition not in there]
        elif feed == feeds[0]:
            strays = (path for path in delivered(landing) if not any(each.takes(path.name) for each in feeds))
            results += [loader.refuse(path) for path in strays]
        return results


def _load_and_move(
    path: Path, feed: FileResource, loader: FileLoader, store: RawLoader, settings: Settings
) -> LoadResult:
    """Load a file, and put it away when that is committed: a kill before leaves it where the next run finds it."""
    before = state_of(path)
    if not is_complete(path, settings.file_stable_seconds):
        return LoadResult(path.name, feed.entity, "deferred", reason="it is being written")
    result = loader.load(path)
    if state_of(path) != before:
        return replace(
            result, status="deferred", reason="it changed while it was loaded; the next run loads it"
        )
    try:
        if result.status == "failed":
            refuse(path, result.reason)
        else:
            content = store.loaded_contents()[path.name][checksum_of(path)]
            move_to_archive(
                path, settings.archive(feed.domain) / f"{content['loaded_at'].astimezone(UTC):%Y-%m-%d}"
            )
    except OSError as error:
        reason = f"{result.reason or 'it is loaded'}; it could not be moved: {error.strerror}"
        return replace(result, status="failed", reason=reason)
    return result


def _double(feed: FileResource, path: Path, files: Sequence[Path]) -> Path | None:
    """Another file of the same partition, of which nobody could say which one counts."""
    partition = feed.partition_of(path.name)
    others = (other for other in files if other != path and partition)
    return next((other for other in others if feed.partition_of(other.name) == partition), None)


def _missing(feed: FileResource, partition: str) -> LoadResult:
    return LoadResult(partition, feed.entity, "failed", reason=f"landing/{feed.domain} has no file of it")
