"""Commands on the versions of a domain: list, compare, roll back, prune."""

from dataclasses import dataclass
from typing import Any

import settings as settings_module
from publishing.comparison import Comparison, as_table, compare
from publishing.store import store_of
from publishing.usual import OBSERVATIONS, is_learning
from publishing.versions import KEEP, ROLLBACK, Version, VersionError
from settings import Settings


@dataclass(frozen=True)
class Listing:
    """The versions of a domain, oldest first, the active one, and the history."""

    domain: str
    versions: tuple[Version, ...]
    active: str | None
    history: tuple[dict[str, str], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values; of the tables only rows and checksum."""
        versions = [
            {
                "version": each.name,
                "active": each.name == self.active,
                **{name: fact for name, fact in each.facts.items() if name != OBSERVATIONS},
                "tables": {
                    name: {"rows": stats.rows, "checksum": stats.checksum}
                    for name, stats in each.tables.items()
                },
            }
            for each in self.versions
        ]
        return {"domain": self.domain, "versions": versions, "history": list(self.history)}

    def __str__(self) -> str:
        if not self.versions:
            return f"{self.domain} has no versions"
        return as_table(
            ["", "version", "rows", "MB", "commit", ""], [self._cells(each) for each in self.versions]
        )

    def _cells(self, version: Version) -> list[str]:
        facts = version.facts
        notes = [f"limits exceeded, accepted by {facts['accepted_by']}"] if facts["accepted"] else []
        if OBSERVATIONS in facts and is_learning(facts[OBSERVATIONS]):
            notes.append("learning")
        notes += [f"unusual: {each}" for each in facts.get("unusual", [])]
        notes += [facts["reason"]] if facts.get("reason") else []
        notes += [f"from {facts['promoted']['from']}"] if "promoted" in facts else []
        return [
            "active" if version.name == self.active else "",
            version.name,
            f"{sum(stats.rows for stats in version.tables.values()):,}",
            f"{version.facts['bytes'] / 1e6:,.1f}",
            (version.facts.get("git_commit") or "")[:12],
            "; ".join(notes),
        ]


def versions(domain: str, settings: Settings | None = None) -> Listing:
    store = store_of(domain, settings or settings_module.load())
    active = store.active()
    return Listing(domain, tuple(store.versions()), active.name if active else None, tuple(store.history()))


def diff(domain: str, before: str, after: str, settings: Settings | None = None) -> Comparison:
    """Compare two versions by their statistics.

    Raises:
        VersionError: there is no such version.
    """
    settings = settings or settings_module.load()
    store = store_of(domain, settings)
    one, other = store.get(before), store.get(after)
    return compare(
        domain, one.tables, other.tables, settings.limits_of(domain), versions=(one.name, other.name)
    )


def rollback(domain: str, version: str | None = None, settings: Settings | None = None) -> str:
    """Let readers see an earlier version; return its name.

    Args:
        domain: whose.
        version: its name, or the beginning of it. By default the one that the last publication or promotion replaced,
            so that a second call changes nothing.
        settings: those of the environment by default.

    Raises:
        VersionError: there is no such version, or it was changed after it was published.
        PublishError: another process kept the lock.
    """
    store = store_of(domain, settings or settings_module.load())
    with store.lock():
        active = store.current_stats()
        if version is None:
            published = [line["version"] for line in store.history() if line["what"] != ROLLBACK]
            version = store.get(published[-1]).facts["replaces"] if active and published else None
            if version is None:
                raise VersionError(f"{domain} has no version before the last one")
        wanted = store.get(version)
        store.verify(wanted)
        if not active or active.name != wanted.name:
            store.activate(wanted.name, ROLLBACK)
        return wanted.name


def prune(domain: str, keep: int = KEEP, settings: Settings | None = None) -> list[str]:
    """Remove all but the newest `keep` versions and the active one; return the names of the removed ones.

    Raises:
        VersionError: `keep` is less than 1.
        PublishError: another process kept the lock.
    """
    if keep < 1:
        raise VersionError(f"the number of versions to keep must be 1 or more, not {keep}")
    store = store_of(domain, settings or settings_module.load())
    with store.lock():
        return store.prune(keep)
