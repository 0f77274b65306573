"""The declarations in `ingestion/sources`, by domain. It imports neither dlt nor DuckDB, so that DAGs may read it."""

import importlib
import pkgutil
from collections.abc import Sequence

from ingestion import sources
from ingestion.api.api_resource import ApiResource
from ingestion.api.settings import ApiSettings
from ingestion.enrich.enrichments import Enrichments
from ingestion.files.file_resource import FileResource


class UnknownDomainError(ValueError):
    """There is no such domain; the message names those there are."""


def source_names() -> list[str]:
    """The sources there are: the modules of `ingestion.sources`. A domain has one, or several."""
    return sorted(module.name for module in pkgutil.iter_modules(sources.__path__))


def feeds_of_source(name: str) -> tuple[FileResource | ApiResource | Enrichments, ...]:
    """What a source loads; all of it belongs to one domain."""
    return importlib.import_module(f"ingestion.sources.{name}").FEEDS


def apis_in_use() -> list[ApiSettings]:
    """Return the settings of every API that loads of all domains call.

    Raises:
        SettingsError: a variable of an API has an invalid value.
    """
    resources = [resource for name in source_names() for resource in feeds_of_source(name)]
    own = [resource for resource in resources if not isinstance(resource, FileResource)]
    return [api for resource in own for api in resource.settings().apis()]


def domains() -> list[str]:
    """The domains there are: those of all sources."""
    return sorted({feeds_of_source(name)[0].domain for name in source_names()})


def feeds_of(domain: str) -> Sequence[FileResource | ApiResource | Enrichments]:
    """The feeds of a domain, in the order in which they are loaded: files, then APIs.

    Raises:
        UnknownDomainError: there is no such domain.
    """
    feeds = [feed for name in source_names() for feed in feeds_of_source(name) if feed.domain == domain]
    if not feeds:
        raise UnknownDomainError(f"unknown domain {domain!r}; there are: {', '.join(domains())}")
    return sorted(feeds, key=lambda feed: not isinstance(feed, FileResource))


def entities_of(domain: str) -> list[str]:
    """The entities of a domain, in the order in which they are loaded.

    Raises:
        UnknownDomainError: there is no such domain.
    """
    return [feed.entity for feed in feeds_of(domain)]
