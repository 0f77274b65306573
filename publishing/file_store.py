"""Published marts as DuckDB files, see `publishing.versions`; a new one starts as a copy of the last."""

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb

from common.files import sync
from publishing import candidate
from publishing.errors import PublishError
from publishing.marts import SCHEMA, Mart
from publishing.table_stats import Table, TableStats, look, measure
from publishing.versions import Version, VersionError, Versions, digest, name_of
from settings import Settings
from warehouse.duckdb_file import DuckDbWarehouse

ADOPTED = "adopted"


class FileStore:
    """The versions of a domain in a data folder; see `Store`."""

    def __init__(self, domain: str, settings: Settings) -> None:
        self.domain = domain
        self.versions = Versions(domain, settings)
        self.where = self.versions.published

    def all(self) -> list[Version]:
        """The versions, oldest first."""
        return self.versions.all()

    def history(self) -> list[dict[str, str]]:
        """Who asked for which version to be in use, and when; oldest first."""
        return self.versions.history()

    def in_use(self) -> Version | None:
        """The version that readers see."""
        return self.versions.in_use()

    def get(self, name: str) -> Version:
        """A version by its name, or by the beginning of it."""
        return self.versions.get(name)

    def rows(self, version: Version, query: str) -> list[tuple[Any, ...]]:
        """Rows of a query on a version."""
        with duckdb.connect(str(self.versions.file(version.name)), read_only=True) as published:
            return published.execute(query.format(marts=SCHEMA)).fetchall()

    def lock(self) -> AbstractContextManager[None]:
        """Be the only process that changes anything here."""
        return self.versions.lock()

    def known(self, marts: Mapping[str, Mart] = MappingProxyType({})) -> Version | None:
        """The version in use, with what is in it; a file that is no version, or is not what it was, is read."""
        return known(self.versions, marts)

    def begin(self, old: Version | None) -> None:
        """Copy the version in use, while its successor is looked at."""
        if old:
            candidate.copy(self.versions.published, self.versions.candidate)

    def write(
        self,
        warehouse: DuckDbWarehouse,
        tables: Mapping[str, Table],
        profiles: Mapping[str, TableStats],
        base: Mapping[str, TableStats] | None,
    ) -> dict[str, Any]:
        """Write what differs into the copy."""
        new = self.versions.candidate
        candidate.write(warehouse, tables, profiles, base, new)
        sync(new)
        return {"duckdb": duckdb.__version__, "bytes": new.stat().st_size, "digest": digest(new)}

    def publish(self, version: Version, manifest: Path) -> None:
        """Make the candidate a version, and let readers see it."""
        self.versions.add(version, manifest)
        self.versions.use(version.name, "publish")

    def use(self, name: str, what: str) -> None:
        """Let readers see a version."""
        self.versions.use(name, what)

    def check(self, version: Version) -> None:
        """See that a version's file is the one that was published."""
        check(self.versions, version)

    def prune(self, keep: int) -> list[str]:
        """Remove all but the newest versions and the one in use; return their names."""
        return self.versions.prune(keep)

    def remove_candidate(self) -> None:
        """Remove the file of a version that did not come to be."""
        self.versions.remove_candidate()


def known(versions: Versions, marts: Mapping[str, Mart] = MappingProxyType({})) -> Version | None:
    """The version in use, with what is in it; a file that is no version, or is not what it was, is read.

    Args:
        versions: the versions of a domain, whose lock the caller has.
        marts: what dbt says of its tables, if that is known.

    Raises:
        PublishError: what is published is no database.
    """
    if not versions.published.exists():
        return None
    used = versions.in_use()
    found = digest(versions.published)
    if used and used.facts["digest"] == found and used.facts["duckdb"] == duckdb.__version__:
        return used
    changed = datetime.fromtimestamp(versions.published.stat().st_mtime, UTC)
    name = used.name if used else name_of(changed, ADOPTED)
    facts = {"run_id": None, "made_at": changed.isoformat(), "accepted": [], "replaces": None}
    facts |= {**used.facts, "altered": used.facts["digest"] != found} if used else {"what": ADOPTED}
    facts |= {"digest": found, "bytes": versions.published.stat().st_size, "duckdb": duckdb.__version__}
    version = Version(name, facts, _read_published(versions.published, marts))
    if not used:
        os.link(versions.published, versions.file(name))
        sync(versions.folder)
    versions.note(version)
    return version


def _read_published(path: Path, marts: Mapping[str, Mart]) -> dict[str, TableStats]:
    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            published = DuckDbWarehouse(connection)
            tables = look(published, [marts.get(name, Mart(name)) for name in published.tables(SCHEMA)])
            return {name: table.profile(measure(published, table)) for name, table in tables.items()}
    except duckdb.Error as error:
        raise PublishError(
            f"{path} cannot be compared with; move it away to publish without: {error}"
        ) from error


def check(kept: Versions, version: Version) -> None:
    """See that a version's file is the one that was published.

    Raises:
        VersionError: it is gone, or is another one.
    """
    file = kept.file(version.name)
    if not file.exists() or digest(file) != version.facts["digest"]:
        raise VersionError(f"{file} is not what was published as {version.name}; its checksums differ")
