"""Versions of a domain's published marts: their names and what is recorded about each of them."""

import getpass
import os
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from publishing.errors import PublishError
from publishing.table_stats import TableStats

# How many versions a publication keeps.
KEEP = 5
# How many activations the history keeps.
HISTORY = 200
ROLLBACK = "rollback"
NAME = re.compile(r"\d{8}T\d{12}Z_[A-Za-z0-9_.+-]+")
RUN_ID_LENGTH = 80


class VersionError(PublishError):
    """A version does not exist or was changed after it was published; nothing was changed."""


@dataclass(frozen=True)
class Version:
    """A version and what is recorded about it: `facts` (who, when, from what) and the statistics of its tables."""

    name: str
    facts: Mapping[str, Any]
    tables: Mapping[str, TableStats]

    def to_dict(self) -> dict[str, Any]:
        tables = {name: stats.to_dict() for name, stats in self.tables.items()}
        return {"version": self.name, **self.facts, "tables": tables}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Version":
        facts = {key: value for key, value in values.items() if key not in ("version", "tables")}
        tables = {name: TableStats.from_dict(table) for name, table in values["tables"].items()}
        return cls(values["version"], facts, tables)


def find_version(name: str, domain: str, versions: Sequence[Version]) -> Version:
    """Return the version with this name, or the only one whose name begins with it.

    Raises:
        VersionError: no version matches, or more than one does.
    """
    found = [each for each in versions if each.name == name]
    found = found or [each for each in versions if each.name.startswith(name)]
    if len(found) != 1:
        names = ", ".join(each.name for each in versions) or "none"
        problem = f"{len(found)} versions whose names begin with" if found else "no version"
        raise VersionError(f"{domain} has {problem} {name}; versions: {names}")
    return found[0]


def version_name(made_at: datetime, run_id: str) -> str:
    return f"{made_at:%Y%m%dT%H%M%S%f}Z_{re.sub(r'[^A-Za-z0-9_.+-]', '-', run_id)[:RUN_ID_LENGTH]}"


def now() -> datetime:
    return datetime.now(UTC)


def user() -> str:
    """Return who runs this process and on which host."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # the user id of a container may have no name
        name = str(os.getuid())
    return f"{name}@{socket.gethostname()}"
