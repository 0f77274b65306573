"""The lineage of published versions: that of the build which a version was made of, kept and removed with it."""

import logging
from collections.abc import Mapping

from lineage.artefact import LineageError, from_json, read_lineage
from lineage.graph import Lineage
from publishing.marts import SCHEMA
from publishing.readers import published_names
from publishing.store import store_of
from publishing.table_stats import TableStats
from settings import Settings

log = logging.getLogger(__name__)


def built_lineage(domain: str, tables: Mapping[str, TableStats], settings: Settings) -> str | None:
    """Return the lineage of the last build as text; None, with a warning, if it is of other tables than these."""
    file = settings.lineage(domain)
    try:
        found = read_lineage(file) if file.exists() else Lineage({})
        differing = [
            name
            for name, stats in tables.items()
            if f"{SCHEMA}.{name}" not in found.tables
            or {*found.tables[f"{SCHEMA}.{name}"].columns} != {*stats.columns}
        ]
        if differing:
            log.warning(
                "This version of %s has no lineage: that of the last build is not of %s. `sluice run %s` writes it.",
                domain, ", ".join(sorted(differing)), domain,
            )  # fmt: skip
        return None if differing else file.read_text()
    except (OSError, LineageError) as error:
        log.warning("This version of %s has no lineage: %s", domain, error)
        return None


def published_lineage(domain: str, settings: Settings, version: str | None = None) -> Lineage:
    """Return the lineage of a version, by default the active one.

    Raises:
        LineageError: nothing is published, or the version has no lineage.
        VersionError: there is no such version.
    """
    store = store_of(domain, settings)
    chosen = store.get(version) if version else store.active()
    text = store.lineage(chosen.name) if chosen else None
    if text is None:
        what = (
            f"version {chosen.name} of {domain} has no lineage"
            if chosen
            else f"nothing of {domain} is published"
        )
        raise LineageError(f"{what}; `sluice run {domain}` publishes one that has")
    try:
        return from_json(text)
    except (ValueError, KeyError, TypeError) as error:
        raise LineageError(
            f"the lineage of version {chosen.name} of {domain} cannot be read: {error}"
        ) from error


def all_published(settings: Settings) -> Lineage:
    """Return the lineage of all active versions that have one, as one.

    Raises:
        LineageError: none has.
    """
    found = []
    for domain in published_names(settings):
        try:
            found.append(published_lineage(domain, settings))
        except LineageError as error:
            log.debug("%s", error)
    if not found:
        raise LineageError("nothing is published that has a lineage; `make run` publishes every pipeline")
    return Lineage.merged(found)
