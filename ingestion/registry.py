"""The declarations in `ingestion.sources`, by domain. It imports neither dlt nor DuckDB, so that DAGs may read it."""

import importlib
import pkgutil
import re
from collections.abc import Iterable

from ingestion import sources
from ingestion.api.api_resource import ApiResource
from ingestion.api.settings import ApiSettings
from ingestion.enrich.enrichment_resource import EnrichmentResource
from ingestion.files.file_resource import FileResource

Resource = FileResource | ApiResource | EnrichmentResource


class UnknownDomainError(ValueError):
    """There is no such domain; the message names those that exist."""


class UnknownEntityError(ValueError):
    """The domain has no such entity; the message names those that it has."""


class UnknownPartitionError(ValueError):
    """An entity has no such partition; the message says why."""


def source_names() -> list[str]:
    """Return the modules of `ingestion.sources`; a domain has one or several."""
    return sorted(module.name for module in pkgutil.iter_modules(sources.__path__))


def resources_of_source(name: str) -> tuple[Resource, ...]:
    """Return what one source loads; all of it belongs to one domain."""
    return importlib.import_module(f"ingestion.sources.{name}").RESOURCES


def domains() -> list[str]:
    """Return the domains of all sources."""
    return sorted({resources_of_source(name)[0].domain for name in source_names()})


def resources_of(domain: str) -> list[Resource]:
    """Return the resources of a domain in the order in which they are loaded: files, then APIs.

    Raises:
        UnknownDomainError: there is no such domain.
    """
    resources = [
        resource
        for name in source_names()
        for resource in resources_of_source(name)
        if resource.domain == domain
    ]
    if not resources:
        raise UnknownDomainError(f"unknown domain {domain!r}; there are: {', '.join(domains())}")
    return sorted(resources, key=lambda resource: not isinstance(resource, FileResource))


def file_resources_of(domain: str) -> list[FileResource]:
    """Return the file resources of a domain. Raises UnknownDomainError as `resources_of` does."""
    return [resource for resource in resources_of(domain) if isinstance(resource, FileResource)]


def used_resources_of(domain: str) -> list[Resource]:
    """Return the resources that a load of the whole domain includes.

    Raises:
        UnknownDomainError: there is no such domain.
        SettingsError: a variable of an API has an invalid value.
    """
    return [resource for resource in resources_of(domain) if is_used(resource)]


def is_used(resource: Resource) -> bool:
    """Whether a load of the whole domain includes a resource. Raises as `used_resources_of` does."""
    return not isinstance(resource, ApiResource) or resource.is_used


def entities_of(domain: str) -> list[str]:
    """Return the entities of a domain in the order of loading. Raises as `resources_of` does."""
    return list(dict.fromkeys(resource.entity for resource in resources_of(domain)))


def moves_files(domain: str) -> bool:
    """Whether a domain's files leave its landing folder when they are loaded. Raises as `resources_of` does."""
    return any(resource.moves_files for resource in file_resources_of(domain))


def apis_in_use() -> list[ApiSettings]:
    """Return the settings of every API that loads of all domains call.

    Raises:
        SettingsError: a variable of an API has an invalid value.
    """
    resources = [resource for name in source_names() for resource in resources_of_source(name)]
    own = [resource for resource in resources if not isinstance(resource, FileResource) and is_used(resource)]
    return [api for resource in own for api in resource.settings().apis()]


def check_partitions(resource: Resource, partitions: Iterable[str]) -> None:
    """Check that files of a resource can have these partitions.

    Raises:
        UnknownPartitionError: they cannot; the message says why.
    """
    pattern = getattr(resource, "partition", None)
    if not pattern:
        raise UnknownPartitionError(
            f"entity {resource.entity!r} of {resource.domain} is not partitioned by month"
        )
    if unknown := [partition for partition in partitions if not re.fullmatch(pattern, partition)]:
        raise UnknownPartitionError(f"{', '.join(map(repr, unknown))}: not a month written as 2024-05")
