"""The declarations in `ingestion.sources`, by domain. It imports neither dlt nor DuckDB, so that DAGs may read it.

A module that cannot be imported concerns its own domain alone.
"""

import importlib
import pkgutil
import re
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from ingestion import sources
from ingestion.api.api_resource import ApiResource
from ingestion.api.settings import ApiSettings
from ingestion.enrich.enrichment_resource import EnrichmentResource
from ingestion.files.file_resource import FileResource

Resource = FileResource | ApiResource | EnrichmentResource

# How a module that cannot be imported names its domain.
_DOMAIN = re.compile(r"""\bdomain\s*=\s*["'](\w+)["']""", re.IGNORECASE)


class UnknownDomainError(ValueError):
    """There is no such domain; the message names those that exist."""


class BrokenSourceError(ValueError):
    """A module of `ingestion.sources` cannot be imported; the message names it and says why."""


class UnknownEntityError(ValueError):
    """The domain has no such entity; the message names those that it has."""


class UnknownPartitionError(ValueError):
    """An entity has no such partition; the message says why."""


def source_names() -> list[str]:
    """Return the modules of `ingestion.sources`; a domain has one or several."""
    return sorted(module.name for module in pkgutil.iter_modules(sources.__path__))


def resources_of_source(name: str) -> tuple[Resource, ...]:
    """Return what one source loads; all of it belongs to one domain.

    Raises:
        BrokenSourceError: its module cannot be imported.
    """
    try:
        return importlib.import_module(f"ingestion.sources.{name}").RESOURCES
    except Exception as error:
        raise BrokenSourceError(
            f"ingestion/sources/{name}.py cannot be imported: {type(error).__name__}: {error}"
        ) from error


def _read_sources() -> tuple[dict[str, list[Resource]], dict[str, BrokenSourceError]]:
    """Return the resources by domain, and the domains of modules that cannot be imported, with the reason."""
    resources: dict[str, list[Resource]] = {}
    broken: dict[str, BrokenSourceError] = {}
    for name in source_names():
        try:
            for resource in resources_of_source(name):
                resources.setdefault(resource.domain, []).append(resource)
        except BrokenSourceError as error:
            module = find_spec(f"ingestion.sources.{name}")
            text = Path(module.origin).read_text(errors="replace") if module and module.origin else ""
            broken |= dict.fromkeys(_DOMAIN.findall(text) or [name], error)
    return resources, broken


def domains() -> list[str]:
    """Return the domains of all sources, without those of which a module cannot be imported."""
    resources, broken = _read_sources()
    return sorted(resources.keys() - broken.keys())


def broken_domains() -> dict[str, BrokenSourceError]:
    """Return the domains of which a module cannot be imported, with the reason."""
    return _read_sources()[1]


def resources_of(domain: str) -> list[Resource]:
    """Return the resources of a domain in the order in which they are loaded: files, then APIs.

    Raises:
        UnknownDomainError: there is no such domain.
        BrokenSourceError: a module of the domain cannot be imported.
    """
    resources, broken = _read_sources()
    if domain in broken:
        raise broken[domain]
    if domain not in resources:
        raise UnknownDomainError(f"unknown domain {domain!r}; there are: {', '.join(sorted(resources))}")
    return sorted(resources[domain], key=lambda resource: not isinstance(resource, FileResource))


def file_resources_of(domain: str) -> list[FileResource]:
    """Return the file resources of a domain. Raises as `resources_of` does."""
    return [resource for resource in resources_of(domain) if isinstance(resource, FileResource)]


def used_resources_of(domain: str) -> list[Resource]:
    """Return the resources that a load of the whole domain includes.

    Raises:
        UnknownDomainError: there is no such domain.
        BrokenSourceError: a module of the domain cannot be imported.
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
    resources, _ = _read_sources()
    every = [resource for own in resources.values() for resource in own]
    own = [resource for resource in every if not isinstance(resource, FileResource) and is_used(resource)]
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
