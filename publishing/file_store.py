"""Versions as DuckDB files.

    published/<domain>.duckdb                    what readers open: a second name (hard link) of the active version
    published/<domain>/<version>.duckdb          the versions
    published/<domain>/<version>.manifest.json   dbt's manifest at that time
    published/<domain>/<version>.lineage.json    from which columns each column comes
    published/<domain>/versions.json             facts and statistics of each version, and the history

A rename puts the second name in place. It is not a symbolic link: the version could be pruned between reading the
link and opening its target, and a copy or a mount of the file alone would have a link to nothing. The active version
is not recorded anywhere, so the record cannot be wrong: it is the version that is the same file. A version is recorded
in versions.json before it is activated. Files of a killed process are not recorded, and the next lock removes them.
"""

import json
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb

from common.atomic_write import atomic_write
from common.file_lock import FileLockedError, file_lock
from common.files import sync
from publishing import candidate
from publishing.candidate import copy, link_or_copy
from publishing.errors import PublishError
from publishing.marts import SCHEMA, Mart
from publishing.store import Store
from publishing.table_stats import Table, TableStats, compute_stats, describe_tables
from publishing.versions import HISTORY, NAME, Version, VersionError, now, user, version_name
from settings import Settings
from warehouse import WAIT_SECONDS
from warehouse.duckdb_file import DuckDbWarehouse

ADOPTED = "adopted"
# A version never changes, and may be published under another name elsewhere.
READ_ONLY = 0o444


class FileStore(Store):
    """The versions of a domain in a data folder."""

    location: Path

    def __init__(self, domain: str, settings: Settings) -> None:
        self.domain = domain
        self.location = settings.published(domain)
        self.folder = self.location.with_suffix("")
        self.candidate = self.folder / ".candidate.duckdb"
        self._index = self.folder / "versions.json"
        self._link = self.location.with_name(f".{self.location.name}.link")

    def file(self, name: str) -> Path:
        return self.folder / f"{name}.duckdb"

    def manifest(self, name: str) -> Path:
        """Return the path of dbt's manifest of a version."""
        return self.folder / f"{name}.manifest.json"

    def lineage(self, name: str) -> str | None:
        with suppress(FileNotFoundError):
            return self._lineage_file(name).read_text()
        return None

    def _lineage_file(self, name: str) -> Path:
        return self.folder / f"{name}.lineage.json"

    def versions(self) -> list[Version]:
        return [Version.from_dict(values) for values in self._read_index()["versions"]]

    def history(self) -> list[dict[str, str]]:
        return self._read_index()["history"]

    def active(self) -> Version | None:
        with suppress(FileNotFoundError):
            published = self.location.stat()
            for version in reversed(self.versions()):
                with suppress(FileNotFoundError):
                    if os.path.samestat(published, self.file(version.name).stat()):
                        return version
        return None

    def query(self, version: Version, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.file(version.name)), read_only=True) as published:
            return published.execute(sql.format(marts=SCHEMA)).fetchall()

    @contextmanager
    def lock(self, *, wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with file_lock(self.folder / ".lock", wait_seconds):
                self._clean_up()
                try:
                    yield
                finally:
                    self._remove_candidate()
        except FileLockedError as error:
            raise PublishError(f"another process changes the versions of {self.domain}: {error}") from error

    def current_stats(self, marts: Mapping[str, Mart] = MappingProxyType({})) -> Version | None:
        """Return the active version; read a file that was not published here or was changed since."""
        if not self.location.exists():
            return None
        used, stamp = self.active(), file_stamp(self.location)
        unchanged = used is not None and used.facts["file_stamp"] == stamp
        # DuckDB's hashes may differ between its versions.
        if used and unchanged and used.facts["duckdb"] == duckdb.__version__:
            return used
        facts, tables = self._read_published(self.location, marts)
        if used:
            altered = not unchanged and not self._same_rows(used.tables, tables)
            version = Version(used.name, {**used.facts, "altered": altered, **facts}, tables)
        else:
            changed = datetime.fromtimestamp(self.location.stat().st_mtime, UTC)
            name = version_name(changed, ADOPTED)
            facts |= {"run_id": None, "made_at": changed.isoformat(), "accepted": [], "replaces": None}
            facts["what"] = ADOPTED
            version = Version(name, facts, tables)
            os.link(self.location, self.file(name))
            sync(self.folder)
        self._record(version)
        return version

    def prepare(self, old: Version | None) -> None:
        """Copy the active version, unless it is in another storage format."""
        if old and old.facts.get("storage_version") == candidate.STORAGE_VERSION:
            copy(self.location, self.candidate)

    def write(
        self,
        warehouse: Any,
        tables: Mapping[str, Table],
        stats: Mapping[str, TableStats],
        old: Version | None,
    ) -> dict[str, Any]:
        """Write into the copy what differs."""
        base = old.tables if old and self.candidate.exists() else None
        candidate.write(warehouse, tables, stats, base, self.candidate)
        sync(self.candidate)
        return self._file_facts(self.candidate) | {"storage_version": candidate.STORAGE_VERSION}

    def add(self, version: Version, manifest: Path | None = None, lineage: str | None = None) -> None:
        """Turn the candidate into a version, with dbt's manifest, which dbt and this project replace but never edit."""
        self.candidate.chmod(READ_ONLY)
        self.candidate.replace(self.file(version.name))
        if manifest and manifest.exists():
            link_or_copy(manifest, self.manifest(version.name))
        if lineage:
            self._lineage_file(version.name).write_text(lineage)
        sync(self.folder)
        self._record(version)

    def publish(
        self, version: Version, manifest: Path, lineage: str | None = None, what: str = "publish"
    ) -> None:
        self.add(version, manifest, lineage)
        self.activate(version.name, what)

    def activate(self, name: str, what: str) -> None:
        index = self._read_index()
        line = {"at": now().isoformat(timespec="seconds"), "by": user(), "what": what, "version": name}
        self._write_index(index["versions"], [*index["history"], line][-HISTORY:])
        self._link.unlink(missing_ok=True)
        os.link(self.file(name), self._link)
        self._link.replace(self.location)
        # A rename between two names of the same file does nothing.
        self._link.unlink(missing_ok=True)
        sync(self.location.parent)

    def verify(self, version: Version) -> None:
        """Raise `VersionError` unless the file is as it was written, or holds the same rows (after a restore)."""
        file = self.file(version.name)
        if not file.exists():
            raise VersionError(f"{file} is missing")
        if version.facts["file_stamp"] != file_stamp(file) and not self._same_rows(
            version.tables, self._read_published(file)[1]
        ):
            raise VersionError(
                f"{file} was changed after it was published as {version.name}: its rows are not those of the"
                f" version. Choose another version (sluice versions {self.domain}) or publish again."
            )

    def _same_rows(self, one: Mapping[str, TableStats], other: Mapping[str, TableStats]) -> bool:
        return one.keys() == other.keys() and all(one[name].same_rows(other[name]) for name in one)

    def _read_published(
        self, path: Path, marts: Mapping[str, Mart] = MappingProxyType({})
    ) -> tuple[dict[str, Any], dict[str, TableStats]]:
        try:
            with duckdb.connect(str(path), read_only=True) as connection:
                published = DuckDbWarehouse(connection)
                tables = describe_tables(
                    published, [marts.get(name, Mart(name)) for name in published.tables(SCHEMA)]
                )
                stats = {name: compute_stats(published, table) for name, table in tables.items()}
                facts = {"storage_version": candidate.storage_version(connection)}
        except duckdb.Error as error:
            raise PublishError(
                f"{path} cannot be read: {error}. To publish without a comparison, move the file away."
            ) from error
        return self._file_facts(path) | facts, stats

    def _file_facts(self, path: Path) -> dict[str, Any]:
        size = path.stat().st_size
        return {"duckdb": duckdb.__version__, "bytes": size, "file_stamp": file_stamp(path)}

    def _remove(self, names: Collection[str]) -> None:
        kept = [each.to_dict() for each in self.versions() if each.name not in names]
        self._write_index(kept, self.history())
        self._clean_up()

    def _remove_candidate(self) -> None:
        for path in self.folder.glob(f"{self.candidate.name}*"):
            path.unlink()

    def _clean_up(self) -> None:
        self._link.unlink(missing_ok=True)
        self._remove_candidate()
        # Without the index no file can be called a leftover.
        if not self._index.exists():
            return
        recorded = {each["version"] for each in self._read_index()["versions"]}
        for path in self.folder.iterdir():
            name = path.name
            for suffix in (".manifest.json", ".lineage.json", ".duckdb"):
                name = name.removesuffix(suffix)
            if NAME.fullmatch(name) and name != path.name and name not in recorded:
                path.unlink()

    def _record(self, version: Version) -> None:
        index = self._read_index()
        others = [each for each in index["versions"] if each["version"] != version.name]
        versions = sorted([*others, version.to_dict()], key=lambda each: each["version"])
        self._write_index(versions, index["history"])

    def _read_index(self) -> dict[str, Any]:
        try:
            return json.loads(self._index.read_text())
        except FileNotFoundError:
            return {"versions": [], "history": []}

    def _write_index(self, versions: list[dict[str, Any]], history: list[dict[str, str]]) -> None:
        with atomic_write(self._index) as new:
            new.write_text(json.dumps({"versions": versions, "history": history}))


def file_stamp(path: Path) -> str:
    """Return what changes whenever something writes to a file: its size and its modification time."""
    found = path.stat()
    return f"{found.st_size}-{found.st_mtime_ns}"
