"""Publishes a domain's marts: computes their statistics, compares them with what is published, and swaps.

How versions are made and kept depends on the engine (`publishing.store`); what may differ is in `publishing.comparison`.
"""

import json
import logging
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

import settings as settings_module
from common.atomic_write import atomic_write
from publishing.comparison import Comparison, compare
from publishing.errors import PublishError, PublishStoppedError, SupersededRunError
from publishing.lineage import built_lineage
from publishing.marts import Mart, marts_of
from publishing.quarantine_share import (
    QuarantineShare,
    describe_stop,
    quarantine_limit,
    quarantine_share,
)
from publishing.replaced_days import replaced_since
from publishing.store import Store, store_of
from publishing.table_stats import compute_stats, describe_tables
from publishing.usual import OBSERVATIONS, find_unusual, observe, remembered
from publishing.versions import KEEP, Version, now, user, version_name
from settings import PROJECT_DIR, Settings
from transformation.build_owner import other_build_owner
from transformation.changes import recorded_marts
from transformation.dbt import ensure_manifest
from transformation.manifest import read_manifest
from warehouse import Warehouse, WarehouseError, connect

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Publication:
    """What was published."""

    domain: str
    path: Path | str  # the file that readers open; on a server the schema
    version: str
    rows: dict[str, int]
    quarantine: QuarantineShare
    comparison: Comparison
    unusual: tuple[str, ...] = ()  # what is out of the usual of earlier versions
    accepted: tuple[str, ...] = ()  # what exceeds a limit and was published by a decision
    pruned: tuple[str, ...] = ()  # versions that were removed

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"path": str(self.path), "comparison": self.comparison.to_dict()}


def publish(
    domain: str,
    settings: Settings | None = None,
    *,
    run_id: str = "shell",
    accept: bool = False,
    accepted_by: str | None = None,
    reason: str = "",
    keep: int = KEEP,
    only_own: bool = False,
) -> Publication:
    """Make a version of a domain's marts in the working warehouse, and let readers see it.

    Call it after the domain's tests have passed. It stops if too many of the rows read are in quarantine (more than
    `config: meta: {quarantine_limit: …}` of its dbt group, 5 % by default), or if the marts differ from
    the published ones by more than the limits in `environments.toml`, or if a file has replaced rows by rows of other
    days only; with `unusual_values = "stop"` also if what it brings is out of the usual (`publishing.usual`). The
    comparison is written to `reports/<domain>/diff_<version>.md` and `.json`, also if it stops.

    Args:
        domain: the domain, as in `models/marts/<domain>`.
        settings: those of the environment by default.
        run_id: the run that publishes.
        accept: publish in spite of exceeded limits; the version records it with who decided it and why.
        accepted_by: who decided it; the user of this process by default.
        reason: why.
        keep: how many versions to keep.
        only_own: publish only what this run has built, and so tested, itself.

    Raises:
        SupersededRunError: with `only_own`, another run has built the marts since.
        PublishStoppedError: a limit is exceeded; the message shows both sides.
        PublishError: the domain has no marts or no accounting mart, one of them has not been built, its limit is
            invalid, the disk is full, or another process is publishing the domain.
        WarehouseBusyError: another process kept the warehouse.
    """
    settings = settings or settings_module.load()
    ensure_manifest(settings)
    marts = marts_of(domain, settings.manifest)
    limit = quarantine_limit(domain, marts, read_manifest(settings.manifest).group_meta(domain))
    store = store_of(domain, settings)
    try:
        # The lock is taken after the warehouse, which may take long, and released after it, when no file is attached.
        with ExitStack() as locked, connect(settings, domain) as warehouse:
            locked.enter_context(store.lock())
            # No other run can build while this one holds the warehouse.
            if only_own and (other := other_build_owner(domain, run_id, settings)):
                raise SupersededRunError(f"{other} has built {domain} since this run did, and publishes it")
            decision = {"accepted_by": accepted_by or user(), "reason": reason} if accept else None
            return _publish(marts, limit, store, settings, warehouse, decision, run_id=run_id, keep=keep)
    except (OSError, duckdb.Error, WarehouseError) as error:
        raise PublishError(f"{domain} could not be published: {error}") from error


def _publish(
    marts: Mapping[str, Mart],
    limit: float,
    store: Store,
    settings: Settings,
    warehouse: Warehouse,
    decision: Mapping[str, str] | None,
    *,
    run_id: str,
    keep: int,
) -> Publication:
    domain, made_at = store.domain, now()
    name = version_name(made_at, run_id)
    old = store.current_stats(marts)
    published = old.tables if old else {}
    with ThreadPoolExecutor(max_workers=1) as pool:
        prepared = pool.submit(store.prepare, old)
        quarantine = quarantine_share(warehouse, domain, limit)
        tables = describe_tables(warehouse, marts.values())
        stats = {key: compute_stats(warehouse, table, published.get(key)) for key, table in tables.items()}
    compared = compare(
        domain,
        old.tables if old else None,
        stats,
        settings.limits_of(domain),
        versions=(old.name if old else None, name),
    )
    _write_report(compared, settings)
    other_days = replaced_since(warehouse, domain, _made_at(store))
    known = old.facts.get(OBSERVATIONS, []) if old else []
    brought = observe(published, stats, made_at) if old else None
    unusual = [str(each) for each in find_unusual(known, brought)] if brought else []
    for each in unusual:
        log.warning("unusual: %s", each)
    stopping = unusual if settings.unusual_values == "stop" else []
    if (quarantine.is_over or compared.stopping or other_days or stopping) and not decision:
        reasons = [describe_stop(warehouse, domain, quarantine)] if quarantine.is_over else []
        reasons += [_describe_stop(compared, settings)] if compared.stopping else []
        reasons += [f"{each}; deliver it under a name of its own, or publish by force" for each in other_days]
        reasons += [f"unusual: {each}" for each in stopping]
        how = f"To publish in spite of this: sluice publish {domain} --force-publish --reason '…'"
        raise PublishStoppedError("\n".join([*reasons, how]))
    prepared.result()
    written = store.write(warehouse, tables, stats, old)
    accepted = ([str(quarantine)] if quarantine.is_over else []) + compared.exceeded() + other_days + stopping
    manifest = read_manifest(settings.manifest)
    facts = {
        "run_id": run_id,
        "made_at": made_at.isoformat(),
        "made_by": user(),
        "git_commit": _commit(),
        "dbt_invocation_id": manifest.invocation_id,
        "marts": recorded_marts(warehouse, manifest, domain),
        **written,
        "replaces": old.name if old else None,
        "unusual": unusual,
        OBSERVATIONS: remembered(known, brought) if brought else [],
        "accepted": accepted,
        **(decision if decision and accepted else {}),
    }
    store.publish(Version(name, facts, stats), settings.manifest, built_lineage(domain, stats, settings))
    return Publication(
        domain,
        store.location,
        name,
        {key: each.rows for key, each in stats.items()},
        quarantine,
        compared,
        tuple(unusual),
        tuple(accepted),
        tuple(store.prune(keep)),
    )


def _write_report(compared: Comparison, settings: Settings) -> None:
    """Write the comparison; a failure does not stop the publication, whose result contains it."""
    folder = settings.reports(compared.domain)
    texts = {"md": compared.markdown(), "json": json.dumps(compared.to_dict(), indent=1)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for suffix, text in texts.items():
            with atomic_write(folder / f"diff_{compared.after}.{suffix}") as new:
                new.write_text(text)
    except OSError as error:
        log.warning("the comparison could not be written to %s: %s", folder, error)


def _describe_stop(compared: Comparison, settings: Settings) -> str:
    count = len(compared.stopping)
    first = " ".join(filter(None, compared.stopping[0].cells()[:2]))
    return "\n".join(
        [
            f"{count} {'difference' if count == 1 else 'differences'} between {compared.domain} and the published"
            f" version {'exceeds its limit' if count == 1 else 'exceed their limits'}:"
            f" {first}{', …' if count > 1 else ''}",
            compared.table(stopping=True),
            f"All differences: {settings.reports(compared.domain) / f'diff_{compared.after}.md'}",
        ]
    )


def _made_at(store: Store) -> str | None:
    """Return when the newest version was made."""
    versions = store.versions()
    return versions[-1].facts["made_at"] if versions else None


def _commit() -> str | None:
    """Return the commit of this checkout, with `-dirty` if it was changed since; None without git."""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty"],
            cwd=PROJECT_DIR,
            capture_output=True,
            text=True,
        )
    except OSError:
        return None
    return done.stdout.strip() or None
