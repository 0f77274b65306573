"""Where versions of published marts are kept: the interface of the three stores, and what they share."""

import importlib
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from publishing.marts import Mart
from publishing.table_stats import Table, TableStats
from publishing.versions import Version, find_version
from settings import Settings

STORES = {
    "duckdb": ("file_store", "FileStore"),
    "postgres": ("schema_store", "SchemaStore"),
    "spark": ("spark_store", "SparkStore"),
}


class Store(ABC):
    """The versions of a domain, one of which is active: readers see it.

    `versions`, `history`, `active`, `get`, `query` and `lineage` need no lock; every other method requires `lock`.
    """

    domain: str
    location: Path | str  # what readers open, a file or a schema

    @abstractmethod
    def versions(self) -> list[Version]:
        """Return the versions, oldest first."""

    @abstractmethod
    def history(self) -> list[dict[str, str]]:
        """Return who activated which version, when and how (`at`, `by`, `what`, `version`), oldest first."""

    @abstractmethod
    def active(self) -> Version | None:
        """Return the version that readers see."""

    def get(self, name: str) -> Version:
        """Return a version by its name or by the beginning of its name; raise `VersionError` if none matches."""
        return find_version(name, self.domain, self.versions())

    @abstractmethod
    def query(self, version: Version, sql: str) -> list[tuple[Any, ...]]:
        """Query a version; `{marts}` in the SQL stands for the schema of its tables."""

    @abstractmethod
    def lock(self) -> AbstractContextManager[None]:
        """Lock the versions for this process, and remove what a killed process left behind.

        Raises:
            PublishError: another process kept the lock.
        """

    @abstractmethod
    def current_stats(self, marts: Mapping[str, Mart] = MappingProxyType({})) -> Version | None:
        """Return the active version with statistics that match its tables, reading them again if necessary.

        Raises:
            PublishError: what is published cannot be read.
        """

    def prepare(self, old: Version | None) -> None:  # noqa: B027 (most stores have nothing to do)
        """Do what a new version needs before its content is known; runs beside the queries of the warehouse."""

    @abstractmethod
    def write(
        self,
        warehouse: Any,  # the one of the store's engine
        tables: Mapping[str, Table],
        stats: Mapping[str, TableStats],
        old: Version | None,
    ) -> dict[str, Any]:
        """Write a candidate, which readers do not see, and return facts about it, `bytes` among them.

        `old` is the active version.

        Raises:
            PublishError: the candidate does not hold the rows of the warehouse.
        """

    @abstractmethod
    def publish(self, version: Version, manifest: Path, lineage: str | None = None) -> None:
        """Turn the candidate into a version, with its lineage, and activate it."""

    @abstractmethod
    def lineage(self, name: str) -> str | None:
        """Return the lineage with which a version was published; None if it has none."""

    @abstractmethod
    def activate(self, name: str, what: str) -> None:
        """Let readers see a version, and add a line to the history."""

    @abstractmethod
    def verify(self, version: Version) -> None:
        """Raise `VersionError` unless a version still holds what was published."""

    def prune(self, keep: int) -> list[str]:
        """Remove all but the newest versions and the active one; return the names of the removed ones."""
        versions, active = self.versions(), self.active()
        kept = {each.name for each in versions[-keep:]} | ({active.name} if active else set())
        removed = [each.name for each in versions if each.name not in kept]
        if removed:
            self._remove(removed)
        return removed

    @abstractmethod
    def _remove(self, names: Collection[str]) -> None: ...


def store_of(domain: str, settings: Settings) -> Store:
    """Return the store of a domain's versions for the engine of the target."""
    module, name = STORES[settings.target]
    return getattr(importlib.import_module(f"publishing.{module}"), name)(domain, settings)
