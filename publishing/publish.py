"""Puts a domain's marts where readers look, one whole version after another.

Where that is, and how versions are made and kept there, is for the engine (`publishing.stores`); what may
differ is in `comparison`.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

import settings as settings_module
from common.atomic_write import atomic_write
from publishing.comparison import Comparison, compare
from publishing.errors import PublishError, PublishStoppedError, SupersededRunError
from publishing.marts import Mart, invocation_id, marts_of
from publishing.quarantine_share import (
    QuarantineShare,
    describe_stop,
    quarantine_limit,
    quarantine_share,
)
from publishing.stores import Store, store_of
from publishing.table_stats import Partition, Table, TableStats, look, marks, measure
from publishing.versions import KEEP, Version, name_of, now, user
from settings import PROJECT_DIR, Settings
from transformation.build_owner import other_build_owner
from transformation.dbt import ensure_manifest
from warehouse import Warehouse, WarehouseError, connect


@dataclass(frozen=True)
class Publication:
    """What was published.

    Attributes:
        domain: whose marts.
        path: the file that readers open; on a server the schema.
        version: the version that it now is.
        rows: of each table.
        quarantine: what stayed in quarantine.
        comparison: with the version that it replaces.
        accepted: what is beyond a limit and was accepted by hand, a sentence each.
        pruned: versions that were removed.
    """

    domain: str
    path: Path | str
    version: str
    rows: dict[str, int]
    quarantine: QuarantineShare
    comparison: Comparison
    accepted: tuple[str, ...] = ()
    pruned: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values."""
        return asdict(self) | {"path": str(self.path), "comparison": self.comparison.to_dict()}


def publish(
    domain: str,
    settings: Settings | None = None,
    *,
    run_id: str = "shell",
    accept: bool = False,
    keep: int = KEEP,
    only_own: bool = False,
) -> Publication:
    """Make a version of a domain's marts in the working warehouse, and let readers see it.

    Run it after the domain's tests have passed. It stops if too many of the rows read are in quarantine (more than
    the share `config: meta: {quarantine_limit: …}` in the YAML of `audit_<domain>__row_counts`, or else 5 %), or
    if the marts differ too much from those that are published (more than the limits in `environments.toml`).
    The comparison is written to `reports/<domain>/diff_<version>.md` and `.json`, also if it stops.

    Args:
        domain: the domain, as in `models/marts/<domain>`.
        settings: defaults to those of the environment.
        run_id: the run that publishes.
        accept: publish whatever is in quarantine and however much differs; the version keeps that.
        keep: how many versions to keep.
        only_own: publish only what this run has built, and so tested, itself.

    Raises:
        SupersededRunError: with `only_own`, another run has built the marts since.
        PublishStoppedError: something is beyond a limit; the message shows both sides.
        PublishError: the domain has no marts or no accounting mart, one of them has not been built, its limit is
            none, the disk is full, or another process is publishing the domain.
        WarehouseBusyError: another process kept the warehouse.
    """
    settings = settings or settings_module.load()
    ensure_manifest(settings)
    marts = marts_of(domain, settings.manifest)
    limit = quarantine_limit(domain, marts)
    store = store_of(domain, settings)
    try:
        # The lock after the warehouse, for which there may be a long wait, and given back after it.
        with ExitStack() as held, connect(settings, domain) as warehouse:
            held.enter_context(store.lock())
            held.callback(store.remove_candidate)
            pool = held.enter_context(ThreadPoolExecutor(max_workers=1))
            # With the warehouse in hand, in which nobody builds meanwhile.
            if only_own and (other := other_build_owner(domain, run_id, settings)):
                raise SupersededRunError(f"{domain} has been built anew by {other}, which publishes it")
            return _publish(
                marts, limit, store, settings, warehouse, pool, run_id=run_id, accept=accept, keep=keep
            )
    except (OSError, duckdb.Error, WarehouseError) as error:
        raise PublishError(f"{domain} could not be published: {error}") from error


def _publish(
    marts: Mapping[str, Mart],
    limit: float,
    store: Store,
    settings: Settings,
    warehouse: Warehouse,
    pool: Executor,
    *,
    run_id: str,
    accept: bool,
    keep: int,
) -> Publication:
    domain = store.domain
    made_at = now()
    name = name_of(made_at, run_id)
    old = store.known(marts)
    base = old.tables if old else None
    # Beside the look at the warehouse.
    begun = pool.submit(store.begin, old)
    quarantine = quarantine_share(warehouse, domain, limit)
    tables = look(warehouse, marts.values())
    profiles = {key: _profile(warehouse, tables[key], base) for key in tables}
    limits = settings.limits_of(domain)
    compared = compare(domain, base, profiles, limits, versions=(old.name if old else None, name))
    _write_report(compared, settings)
    if (quarantine.is_over or compared.stopping) and not accept:
        reasons = [describe_stop(warehouse, domain, quarantine)] if quarantine.is_over else []
        reasons += [_describe_stop(compared, settings)] if compared.stopping else []
        how = f"To publish all the same: python -m cli.operations publish {domain} --force-publish"
        raise PublishStoppedError("\n".join([*reasons, how]))
    begun.result()
    made = store.write(warehouse, tables, profiles, base)
    accepted = [str(quarantine)] if quarantine.is_over else []
    accepted += [" ".join(filter(None, each.cells())) for each in compared.stopping]
    facts = {
        "run_id": run_id,
        "made_at": made_at.isoformat(),
        "made_by": user(),
        "git_commit": _commit(),
        "dbt_invocation_id": invocation_id(settings.manifest),
        **made,
        "replaces": old.name if old else None,
        "accepted": accepted,
    }
    store.publish(Version(name, facts, profiles), settings.manifest)
    return Publication(
        domain,
        store.where,
        name,
        {key: profile.rows for key, profile in profiles.items()},
        quarantine,
        compared,
        tuple(accepted),
        tuple(store.prune(keep)),
    )


def _profile(warehouse: Warehouse, table: Table, base: Mapping[str, TableStats] | None) -> TableStats:
    """What is in a table; partitions that were not written since the published version was made are not read."""
    old = base.get(table.mart.name) if base else None
    stored = marks(warehouse, table)
    by_mark: dict[tuple[str, str], Partition] = {}
    if (
        old
        and list(old.columns.items()) == list(table.columns.items())
        and old.partition_by_column == table.partition_by_column
    ):
        by_mark = {(key, each.mark): each for key, each in old.partitions.items() if each.mark}
    same = {key: by_mark[key, mark] for key, mark in stored.items() if (key, mark) in by_mark}
    if stored:
        read = measure(warehouse, table, [key for key in stored if key not in same])
    else:
        read = measure(warehouse, table)
    read = {key: replace(each, mark=stored.get(key)) for key, each in read.items()}
    return table.profile(dict(sorted({**same, **read}.items())))


def _write_report(compared: Comparison, settings: Settings) -> None:
    """Write the comparison; where that cannot be, who publishes reads it and the version keeps what was accepted."""
    folder = settings.reports(compared.domain)
    texts = {"md": compared.markdown(), "json": json.dumps(compared.to_dict(), indent=1)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for suffix, text in texts.items():
            with atomic_write(folder / f"diff_{compared.after}.{suffix}") as new:
                new.write_text(text)
    except OSError as error:
        print(f"the comparison could not be written to {folder}: {error}", file=sys.stderr)


def _describe_stop(compared: Comparison, settings: Settings) -> str:
    worst = " ".join(filter(None, compared.stopping[0].cells()[:2]))
    count = len(compared.stopping)
    return "\n".join(
        [
            f"{count} {'difference' if count == 1 else 'differences'} between {compared.domain} and what is published"
            f" {'is beyond its limit' if count == 1 else 'are beyond their limits'}: {worst}{', …' if count > 1 else ''}",
            compared.table(stopping=True),
            f"All that differs: {settings.reports(compared.domain) / f'diff_{compared.after}.md'}",
        ]
    )


def _commit() -> str | None:
    """The commit of this checkout, with `-dirty` if it was changed since; None without git."""
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
