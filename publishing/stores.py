"""Where published marts are kept: what an engine must do for them. All but the looks are for who has the lock."""

import importlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from publishing.marts import Mart
from publishing.table_stats import Table, TableStats
from publishing.versions import Version
from settings import Settings
from warehouse import Warehouse

STORES = {
    "duckdb": ("file_store", "FileStore"),
    "postgres": ("schema_store", "SchemaStore"),
    "spark": ("lake_store", "SparkStore"),
}


class Store(Protocol):
    """The versions of a domain, one of which readers see.

    Attributes:
        domain: whose.
        where: what readers open.
    """

    domain: str
    where: Path | str

    def all(self) -> list[Version]:
        """The versions, oldest first."""

    def history(self) -> list[dict[str, str]]:
        """Who asked for which version to be in use, and when; oldest first."""

    def in_use(self) -> Version | None:
        """The version that readers see; None if there is none."""

    def get(self, name: str) -> Version:
        """A version by its name, or by the beginning of it.

        Raises:
            VersionError: there is none, or more than one.
        """

    def rows(self, version: Version, query: str) -> list[tuple[Any, ...]]:
        """Rows of a query on any of the versions, with `{marts}` for the schema of its tables; the same SQL for all engines."""

    def lock(self) -> AbstractContextManager[None]:
        """Be the only process that changes anything here, until the block ends; what a killed one left goes.

        Raises:
            PublishError: another process kept the lock.
        """

    def known(self, marts: Mapping[str, Mart] = MappingProxyType({})) -> Version | None:
        """The version in use, with what is in it, be it by having a look.

        Raises:
            PublishError: what is published cannot be compared with.
        """

    def begin(self, old: Version | None) -> None:
        """Do what can be done for a new version before it is known what it holds."""

    def write(
        self,
        warehouse: Warehouse,
        tables: Mapping[str, Table],
        profiles: Mapping[str, TableStats],
        base: Mapping[str, TableStats] | None,
    ) -> dict[str, Any]:
        """Make the candidate, which nobody sees, and return facts about it, `bytes` among them.

        Args:
            warehouse: where the tables are.
            tables: what to write.
            profiles: what is in them.
            base: what is in the version in use.

        Raises:
            PublishError: what was written is not what is in the warehouse.
        """

    def publish(self, version: Version, manifest: Path) -> None:
        """Make the candidate a version, and let readers see it, all at once."""

    def use(self, name: str, what: str) -> None:
        """Let readers see a version; `what` says why."""

    def check(self, version: Version) -> None:
        """See that a version is what was published.

        Raises:
            VersionError: it is not.
        """

    def prune(self, keep: int) -> list[str]:
        """Remove all but the newest versions and the one in use; return their names."""

    def remove_candidate(self) -> None:
        """Remove what did not come to be a version."""


def store_of(domain: str, settings: Settings) -> Store:
    """The store of a domain's versions, of the engine of the target."""
    module, kind = STORES[settings.target]
    return getattr(importlib.import_module(f"publishing.{module}"), kind)(domain, settings)
