"""What can be done with the versions of a domain: see them, compare them, go back to one, prune them."""

from dataclasses import dataclass
from typing import Any

import settings as settings_module
from publishing.comparison import Comparison, as_table, compare
from publishing.stores import store_of
from publishing.versions import KEEP, Version, VersionError
from settings import Settings

# In the history of what was put in place, beside publish and promote.
ROLLBACK = "rollback"


@dataclass(frozen=True)
class Listing:
    """The versions of a domain, oldest first, which one readers see, and who asked for which one."""

    domain: str
    versions: tuple[Version, ...]
    in_use: str | None
    history: tuple[dict[str, str], ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values; of the tables only rows and checksum."""
        versions = [
            {
                "version": each.name,
                "in_use": each.name == self.in_use,
                **each.facts,
                "tables": {
                    name: {"rows": profile.rows, "checksum": profile.checksum}
                    for name, profile in each.tables.items()
                },
            }
            for each in self.versions
        ]
        return {"domain": self.domain, "versions": versions, "history": list(self.history)}

    def __str__(self) -> str:
        if not self.versions:
            return f"{self.domain} has no versions"
        rows = [
            [
                "in use" if each.name == self.in_use else "",
                each.name,
                f"{sum(profile.rows for profile in each.tables.values()):,}",
                f"{each.facts['bytes'] / 1e6:,.1f}",
                (each.facts.get("git_commit") or "")[:12],
                "; ".join(
                    filter(
                        None,
                        [
                            "accepted by hand" * bool(each.facts["accepted"]),
                            f"from {each.facts['promoted']['from']}" if "promoted" in each.facts else "",
                        ],
                    )
                ),
            ]
            for each in self.versions
        ]
        return as_table(["", "version", "rows", "MB", "commit", ""], rows)


def versions(domain: str, settings: Settings | None = None) -> Listing:
    """The versions of a domain."""
    kept = store_of(domain, settings or settings_module.load())
    used = kept.in_use()
    return Listing(domain, tuple(kept.all()), used.name if used else None, tuple(kept.history()))


def diff(domain: str, before: str, after: str, settings: Settings | None = None) -> Comparison:
    """Compare two versions, by what is known of them.

    Raises:
        VersionError: there is no such version.
    """
    settings = settings or settings_module.load()
    kept = store_of(domain, settings)
    one, other = kept.get(before), kept.get(after)
    return compare(
        domain, one.tables, other.tables, settings.limits_of(domain), versions=(one.name, other.name)
    )


def rollback(domain: str, version: str | None = None, settings: Settings | None = None) -> str:
    """Let readers see an earlier version; return its name.

    Args:
        domain: whose.
        version: its name, or the beginning of it; defaults to the one that was replaced by the last publication or promotion, so
            that a second call changes nothing.
        settings: defaults to those of the environment.

    Raises:
        VersionError: there is no such version, or its file is not what it was.
        PublishError: another process kept the lock.
    """
    kept = store_of(domain, settings or settings_module.load())
    with kept.lock():
        used = kept.known()
        if version is None:
            put = [line["version"] for line in kept.history() if line["what"] != ROLLBACK]
            version = kept.get(put[-1]).facts["replaces"] if used and put else None
            if version is None:
                raise VersionError(f"{domain} has no version before the last one")
        wanted = kept.get(version)
        kept.check(wanted)
        if not used or used.name != wanted.name:
            kept.use(wanted.name, ROLLBACK)
        return wanted.name


def prune(domain: str, keep: int = KEEP, settings: Settings | None = None) -> list[str]:
    """Remove all but the newest `keep` versions and the one in use; return the names of those removed.

    Raises:
        VersionError: `keep` is less than 1.
        PublishError: another process kept the lock.
    """
    if keep < 1:
        raise VersionError(f"the number of versions to keep must be 1 or more, not {keep}")
    kept = store_of(domain, settings or settings_module.load())
    with kept.lock():
        return kept.prune(keep)
