"""Publishes in one environment the very file that was published, and tested, in another."""

import filecmp
from contextlib import ExitStack
from dataclasses import replace

from publishing.candidate import link_or_copy
from publishing.comparison import Comparison, compare
from publishing.errors import PublishStoppedError
from publishing.file_store import FileStore, file_stamp
from publishing.versions import KEEP, VersionError, now, user
from settings import Settings


def promote(
    domain: str,
    source: Settings,
    target: Settings,
    *,
    version: str | None = None,
    accept: bool = False,
    reason: str = "",
) -> tuple[str, Comparison]:
    """Publish a version of one environment in another, without reading or writing a row.

    The file gets a second name, or is copied to another file system. The differences from the version that the target
    environment has must be within that environment's limits.

    By default it is the active version. `accept` promotes it in spite of the differences; the version records it, with the `reason`.

    Returns:
        The version's name, and the differences from the one that it replaces.

    Raises:
        VersionError: there is no such version, it is not what was tested, or both environments are one, or on a server.
        PublishStoppedError: a limit is exceeded.
        PublishError: another process kept a lock.
    """
    for each in (source, target):
        if each.target != "duckdb":
            raise VersionError(
                f"promote moves published files between data folders, and the target of {each.env} is"
                f" {each.target}; publish in {target.env} instead"
            )
    if source.data_dir == target.data_dir:
        raise VersionError(f"{source.env} and {target.env} have the same data folder, {source.data_dir}")
    theirs, ours = FileStore(domain, source), FileStore(domain, target)
    with ExitStack() as locked:
        # In a fixed order, or two promotions in opposite directions would wait for each other.
        for store in sorted([theirs, ours], key=lambda each: each.folder):
            locked.enter_context(store.lock())
        # A file that was not published here becomes a version, too.
        theirs.current_stats()
        tested = theirs.get(version) if version else theirs.active()
        if tested is None:
            raise VersionError(f"nothing of {domain} is published in {source.env}")
        theirs.verify(tested)
        old = ours.current_stats()
        compared = compare(
            domain,
            old.tables if old else None,
            tested.tables,
            target.limits_of(domain),
            versions=(old.name if old else None, tested.name),
        )
        if old and old.name == tested.name:
            return tested.name, compared
        if compared.stopping and not accept:
            raise PublishStoppedError(
                f"{tested.name} differs from the version in {target.env} by more than its limits:\n"
                f"{compared.table(stopping=True)}\n"
                f"To promote in spite of this: sluice promote {domain} --from {source.env}"
                f" --to {target.env} --force-publish --reason '…'"
            )
        file = theirs.file(tested.name)
        link_or_copy(file, ours.candidate)
        if not file.samefile(ours.candidate) and not filecmp.cmp(file, ours.candidate, shallow=False):
            raise VersionError(f"{ours.candidate} is not a true copy of {file}; promote again")
        facts = {
            **tested.facts,
            "file_stamp": file_stamp(ours.candidate),
            "replaces": old.name if old else None,
            "promoted": {"from": source.env, "by": user(), "at": now().isoformat(timespec="seconds")},
            "accepted": [*tested.facts["accepted"], *compared.exceeded()],
            **({"accepted_by": user(), "reason": reason} if compared.stopping else {}),
        }
        ours.publish(
            replace(tested, facts=facts),
            theirs.manifest(tested.name),
            theirs.lineage(tested.name),
            f"promote from {source.env}",
        )
        ours.prune(KEEP)
    return tested.name, compared
