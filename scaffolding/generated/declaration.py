"""What the files of a domain declare, as far as its generated files follow from it."""

import importlib
import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ingestion import registry
from ingestion.api.api_resource import ApiResource
from ingestion.files.file_resource import FileResource
from scaffolding.errors import ScaffoldingError
from transformation.manifest import MARTS, SHARED

CLEAN = "clean"
MODELS = Path("dbt_project/models")


@dataclass(frozen=True)
class RawTable:
    """A raw table of a domain.

    Attributes:
        entity: its name.
        description: what it holds, for people.
        columns: its declared columns, each with a description; empty for one that has none.
        personal: its columns about persons.
        is_versioned: an API changes its rows under their `_row_id`, and delivers changed ones only.
    """

    entity: str
    description: str
    columns: Mapping[str, str]
    personal: frozenset[str] = frozenset()
    is_versioned: bool = False


@dataclass(frozen=True)
class Declaration:
    """What a domain declares.

    Attributes:
        domain: its name.
        description: what its sources deliver.
        tables: its raw tables.
        models: its own models, in `dbt_project/models/`: layer and name.
        shared_marts: the marts that every domain publishes with its own.
        properties: its own YAML files in `dbt_project/models/`, merged: `models`, `groups`, `sources`, by name.
    """

    domain: str
    description: str
    tables: tuple[RawTable, ...]
    models: frozenset[tuple[str, str]]
    shared_marts: tuple[str, ...]
    properties: Mapping[str, Mapping[str, Any]]

    @property
    def entities(self) -> list[RawTable]:
        """The raw tables that have a staging model, and so quality rules."""
        return [table for table in self.tables if self.staging(table) in self.names]

    def staging(self, table: RawTable) -> str:
        """Return the name of the staging model of a raw table."""
        return f"stg_{self.domain}__{table.entity}"

    @property
    def names(self) -> set[str]:
        """The names of its own models."""
        return {name for _, name in self.models}

    def marts(self) -> list[str]:
        """Return the names of its own marts."""
        return sorted(name for layer, name in self.models if layer == MARTS)

    def owner(self) -> str:
        """Return who owns the domain's group.

        Raises:
            ScaffoldingError: it has no group with an owner.
        """
        try:
            return self.properties["groups"][self.domain]["owner"]["name"]
        except (KeyError, TypeError):
            raise ScaffoldingError(
                f"{MODELS}/{MARTS}/{self.domain}/_{self.domain}__models.yml has no group {self.domain} with an owner:"
                f" groups: [{{name: {self.domain}, owner: {{name: …}}}}]"
            ) from None


def domains_of(root: Path) -> list[str]:
    """Return the domains that publish marts, also those of the platform, sorted."""
    folders = (root / MODELS / MARTS).iterdir()
    return sorted(folder.name for folder in folders if folder.is_dir() and folder.name != SHARED)


def read_declaration(domain: str, root: Path) -> Declaration:
    """Read what a domain declares.

    Args:
        domain: its name.
        root: the project.

    Raises:
        ScaffoldingError: a YAML file is not valid, or the module of its source cannot be imported.
    """
    models = {
        (layer, path.stem)
        for layer in (CLEAN, MARTS)
        for path in (root / MODELS / layer / domain).glob("*.sql")
    }
    texts = {
        str(path.relative_to(root)): path.read_text()
        for layer in (CLEAN, MARTS)
        for path in sorted((root / MODELS / layer / domain).glob("*.yml"))
    }
    description, tables = _sources(domain)
    return Declaration(
        domain, description, tables, frozenset(models), shared_marts(root), parse_properties(texts)
    )


def shared_marts(root: Path) -> tuple[str, ...]:
    """Return the marts that every domain publishes with its own."""
    return tuple(sorted(path.stem for path in (root / MODELS / MARTS / SHARED).glob("*.sql")))


def parse_properties(texts: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return the resources in YAML files: `models`, `groups` and `sources`, each by name.

    Args:
        texts: the text of each file, by its path.

    Raises:
        ScaffoldingError: a file is not valid; the message has its path.
    """
    found: dict[str, dict[str, Any]] = {"models": {}, "groups": {}, "sources": {}}
    for path, text in texts.items():
        try:
            content = yaml.safe_load(text) or {}
            for kind, resources in found.items():
                for resource in content.get(kind) or []:
                    name = resource["name"]
                    tables = {each["name"]: each for each in resource.get("tables") or []}
                    earlier = resources.get(name, {}).get("tables", {})
                    resources[name] = resource | ({"tables": earlier | tables} if kind == "sources" else {})
        except (yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
            raise ScaffoldingError(f"{path} is not a properties file of dbt: {error}") from error
    return found


def declared_files(
    entity: str, pattern: str, columns: Mapping[str, str], personal: Iterable[str]
) -> RawTable:
    """Return the raw table of files of a pattern; `columns` gives each column's description."""
    description = f"Lines of the files {pattern} as text; one row per line that can be split into columns."
    return RawTable(entity, description, columns, frozenset(personal))


def _sources(domain: str) -> tuple[str, tuple[RawTable, ...]]:
    descriptions: list[str] = []
    tables: dict[str, FileResource | ApiResource] = {}
    for name in registry.source_names():
        try:
            resources = [each for each in registry.resources_of_source(name) if each.domain == domain]
        except registry.BrokenSourceError as error:
            raise ScaffoldingError(str(error)) from error
        if resources:
            module = importlib.import_module(f"ingestion.sources.{name}")
            descriptions.append((inspect.getdoc(module) or f"Source of {domain}.").splitlines()[0])
        for resource in resources:
            # A raw table that files and an API fill is first of all that of the files.
            if isinstance(resource, FileResource | ApiResource) and not isinstance(
                tables.get(resource.entity), FileResource
            ):
                tables[resource.entity] = resource
    return " ".join(descriptions), tuple(map(_raw_table, tables.values()))


def _raw_table(resource: FileResource | ApiResource) -> RawTable:
    names: Iterable[str] = (*resource.columns, *resource.optional)
    described = {
        name: text
        for columns in (resource.columns, resource.optional)
        if isinstance(columns, Mapping)
        for name, text in columns.items()
    }
    columns = {name: described.get(name, "") for name in names}
    if resource.partition:
        columns["_partition"] = "Partition that the file's name says, such as its month."
    personal = frozenset(resource.personal)
    if isinstance(resource, FileResource):
        return declared_files(resource.entity, resource.pattern, columns, personal)
    description = "Records of the API as text, in the state that was delivered last; one row per record."
    return RawTable(resource.entity, description, columns, personal, is_versioned=True)
