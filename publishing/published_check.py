"""Checks whether what stands in the warehouse is published."""

from publishing.store import store_of
from settings import Settings


def is_published(domain: str, settings: Settings, marts: str) -> bool:
    """Return whether the newest version was made of the marts with this fingerprint (`Changes.marts`)."""
    store = store_of(domain, settings)
    # Readers have not seen a version that was never activated, as by a run that was killed before.
    seen = {line["version"] for line in store.history()}
    made = [version for version in store.versions() if version.name in seen]
    # The newest version, not the active one: the next run must not undo a rollback.
    return bool(made) and made[-1].facts.get("marts") == marts and store.active() is not None
