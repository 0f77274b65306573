"""The versions of a domain that are kept, and which of them readers see.

    published/<domain>.duckdb               what readers open: a second name (hard link) of the version in use
    published/<domain>/<version>.duckdb     the versions
    published/<domain>/<version>.manifest.json   dbt's manifest at that time
    published/<domain>/versions.json        what is known of each, and who asked for what

A rename puts the second name in place. Not a symbolic link: between reading such a link and opening what it
names, the version could be pruned, and who copies or mounts the file alone would have a link to nothing.
Which version is in use is nowhere written down, so it cannot be wrong: it is the one that is the same file.
A version is known to `versions.json` before it is in use. What a killed process leaves behind is unknown to
`versions.json`, and the next one that has the lock removes it.
"""

import getpass
import hashlib
import json
import os
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from common.atomic_write import atomic_write
from common.file_lock import FileLockedError, file_lock
from common.files import sync
from publishing.candidate import copy
from publishing.errors import PublishError
from publishing.table_stats import TableStats
from settings import Settings
from warehouse import WAIT_SECONDS

KEEP = 5
# A version never changes, and may be published under another name elsewhere.
READ_ONLY = 0o444
# Who asked for what: so many lines of it.
HISTORY = 200
NAME = re.compile(r"\d{8}T\d{12}Z_[A-Za-z0-9_.+-]+")
RUN_ID_LENGTH = 80
# DuckDB writes blocks of this size, each with a checksum first, behind headers.
BLOCK, HEADERS, CHECKSUM_BYTES = 262144, 3 * 4096, 8


class VersionError(PublishError):
    """There is no such version, or it is not what it was; nothing was changed."""


@dataclass(frozen=True)
class Version:
    """A version, as `versions.json` has it. `facts` are all its entries but the tables."""

    name: str
    facts: Mapping[str, Any]
    tables: Mapping[str, TableStats]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values."""
        tables = {name: profile.to_dict() for name, profile in self.tables.items()}
        return {"version": self.name, **self.facts, "tables": tables}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Version":
        """The opposite of `to_dict`."""
        facts = {key: value for key, value in values.items() if key not in ("version", "tables")}
        tables = {name: TableStats.from_dict(table) for name, table in values["tables"].items()}
        return cls(values["version"], facts, tables)


class Versions:
    """The versions of a domain in a data folder. All but `all` and `in_use` are for who has the lock."""

    def __init__(self, domain: str, settings: Settings) -> None:
        self.domain = domain
        self.published = settings.published(domain)
        self.folder = self.published.with_suffix("")
        self.candidate = self.folder / ".candidate.duckdb"
        self._index = self.folder / "versions.json"
        self._link = self.published.with_name(f".{self.published.name}.link")

    def file(self, name: str) -> Path:
        """The DuckDB file of a version."""
        return self.folder / f"{name}.duckdb"

    def manifest(self, name: str) -> Path:
        """dbt's manifest of a version."""
        return self.folder / f"{name}.manifest.json"

    def all(self) -> list[Version]:
        """The versions, oldest first."""
        return [Version.from_dict(values) for values in self._read()["versions"]]

    def history(self) -> list[dict[str, str]]:
        """Who asked for which version to be in use, and when; oldest first."""
        return self._read()["history"]

    def in_use(self) -> Version | None:
        """The version that readers see; None if there is none, or it is a file that is no version yet."""
        with suppress(FileNotFoundError):
            now = self.published.stat()
            for version in reversed(self.all()):
                with suppress(FileNotFoundError):
                    if os.path.samestat(now, self.file(version.name).stat()):
                        return version
        return None

    def get(self, name: str) -> Version:
        """A version by its name, or by the beginning of it.

        Raises:
            VersionError: there is none, or more than one.
        """
        return named(name, self.domain, self.all())

    @contextmanager
    def lock(self, *, wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
        """Be the only process that changes anything here, until the block ends.

        Raises:
            PublishError: another process still had it after `wait_seconds`; names its id.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with file_lock(self.folder / ".lock", wait_seconds):
                self._remove_leftovers()
                yield
        except FileLockedError as error:
            raise PublishError(f"the versions of {self.domain} are being changed: {error}") from error

    def add(self, version: Version, manifest: Path | None) -> None:
        """Make the candidate a version, with dbt's manifest, which is never written in place."""
        self.candidate.chmod(READ_ONLY)
        self.candidate.replace(self.file(version.name))
        if manifest and manifest.exists():
            link_or_copy(manifest, self.manifest(version.name))
        sync(self.folder)
        self.note(version)

    def note(self, version: Version) -> None:
        """Write down what is known of a version, in place of what was known before."""
        known = self._read()
        others = [each for each in known["versions"] if each["version"] != version.name]
        self._write(sorted([*others, version.to_dict()], key=lambda each: each["version"]), known["history"])

    def use(self, name: str, what: str) -> None:
        """Let readers see a version, by one rename; `what` says why."""
        known = self._read()
        line = {"at": now().isoformat(timespec="seconds"), "by": user(), "what": what, "version": name}
        self._write(known["versions"], [*known["history"], line][-HISTORY:])
        self._link.unlink(missing_ok=True)
        os.link(self.file(name), self._link)
        self._link.replace(self.published)
        # The rename of a second name to another one of the same file does nothing.
        self._link.unlink(missing_ok=True)
        sync(self.published.parent)

    def prune(self, keep: int) -> list[str]:
        """Remove all but the newest versions and the one in use; return their names."""
        versions, used = self.all(), self.in_use()
        kept = {each.name for each in versions[-keep:]} | ({used.name} if used else set())
        gone = [each.name for each in versions if each.name not in kept]
        if gone:
            self._write([each.to_dict() for each in versions if each.name in kept], self.history())
            self._remove_leftovers()
        return gone

    def remove_candidate(self) -> None:
        """Remove the file of a version that did not come to be."""
        for path in self.folder.glob(f"{self.candidate.name}*"):
            path.unlink()

    def _remove_leftovers(self) -> None:
        self._link.unlink(missing_ok=True)
        self.remove_candidate()
        # Without it nobody knows what is a leftover.
        if not self._index.exists():
            return
        known = {each["version"] for each in self._read()["versions"]}
        for path in self.folder.iterdir():
            name = path.name.removesuffix(".manifest.json").removesuffix(".duckdb")
            if NAME.fullmatch(name) and name != path.name and name not in known:
                path.unlink()

    def _read(self) -> dict[str, Any]:
        try:
            return json.loads(self._index.read_text())
        except FileNotFoundError:
            return {"versions": [], "history": []}

    def _write(self, versions: list[dict[str, Any]], history: list[dict[str, str]]) -> None:
        with atomic_write(self._index) as new:
            new.write_text(json.dumps({"versions": versions, "history": history}))


def named(name: str, domain: str, versions: Sequence[Version]) -> Version:
    """The one of a domain's versions that has this name, or a name that begins with it.

    Raises:
        VersionError: there is none, or more than one.
    """
    found = [each for each in versions if each.name == name]
    found = found or [each for each in versions if each.name.startswith(name)]
    if len(found) != 1:
        known = ", ".join(each.name for each in versions) or "none"
        raise VersionError(f"{domain} has no version {name}, or several; there are: {known}")
    return found[0]


def digest(path: Path) -> str:
    """What tells a DuckDB file from any other: its size, headers and the checksums of all its blocks.

    DuckDB compares each block with its checksum when it reads it, so this need not read the blocks.
    """
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        found = hashlib.blake2b(str(size).encode(), digest_size=16)
        found.update(os.pread(file.fileno(), HEADERS, 0))
        for offset in range(HEADERS, size, BLOCK):
            found.update(os.pread(file.fileno(), CHECKSUM_BYTES, offset))
    return found.hexdigest()


def name_of(at: datetime, run_id: str) -> str:
    """The name of a version: when it was made, and by which run."""
    return f"{at:%Y%m%dT%H%M%S%f}Z_{re.sub(r'[^A-Za-z0-9_.+-]', '-', run_id)[:RUN_ID_LENGTH]}"


def link_or_copy(source: Path, target: Path) -> None:
    """Give a file a second name; where that cannot be, on another file system, copy it."""
    try:
        os.link(source, target)
    except OSError:
        copy(source, target)


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def user() -> str:
    """Who runs this process, and where."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a user that has no name, in a container
        name = str(os.getuid())
    return f"{name}@{socket.gethostname()}"
