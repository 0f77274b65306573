"""Publishes in one environment the very bytes that were published, and tested, in another."""

import filecmp
from contextlib import ExitStack
from dataclasses import replace

from publishing.comparison import Comparison, compare
from publishing.errors import PublishStoppedError
from publishing.file_store import check, known
from publishing.versions import (
    KEEP,
    Version,
    VersionError,
    Versions,
    digest,
    link_or_copy,
    now,
    user,
)
from settings import Settings


def promote(
    domain: str, source: Settings, target: Settings, *, version: str | None = None, accept: bool = False
) -> tuple[str, Comparison]:
    """Publish a version of one environment in another, without reading or writing a row.

    The file gets a second name, or is copied to another file system. What differs from the version that the
    other environment has must be within that one's limits.

    Args:
        domain: whose version.
        source: the environment it comes from.
        target: the environment it goes to.
        version: its name, or the beginning of it; defaults to the one in use.
        accept: promote it however much differs; the version keeps that.

    Returns:
        The version's name, and what differs from the one that it replaces.

    Raises:
        VersionError: there is no such version, it is not what was tested, or both environments are one, or on a server.
        PublishStoppedError: something is beyond a limit.
        PublishError: another process kept a lock.
    """
    for each in (source, target):
        if each.target != "duckdb":
            raise VersionError(
                f"promote takes published files from one data folder to another, and the target of {each.env} is"
                f" {each.target}; publish in {target.env} itself"
            )
    if source.data_dir == target.data_dir:
        raise VersionError(f"{source.env} and {target.env} have the same data folder, {source.data_dir}")
    theirs, ours = Versions(domain, source), Versions(domain, target)
    with ExitStack() as stack:
        # In one order, or two promotions in opposite directions would wait for each other.
        for versions in sorted([theirs, ours], key=lambda each: each.folder):
            stack.enter_context(versions.lock())
        known(theirs)
        tested = theirs.get(version) if version else theirs.in_use()
        if tested is None:
            raise VersionError(f"nothing of {domain} is published in {source.env}")
        check(theirs, tested)
        old = known(ours)
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
                f"{tested.name} differs from what {target.env} has by more than its limits:\n{compared.table(stopping=True)}\n"
                f"To promote all the same: python -m cli.operations promote {domain} --from {source.env}"
                f" --to {target.env} --force-publish"
            )
        _bring(theirs, ours, tested)
        promoted = {"from": source.env, "by": user(), "at": now().isoformat(timespec="seconds")}
        accepted = [" ".join(filter(None, each.cells())) for each in compared.stopping]
        facts = {
            **tested.facts,
            "replaces": old.name if old else None,
            "promoted": promoted,
            "accepted": [*tested.facts["accepted"], *accepted],
        }
        ours.add(replace(tested, facts=facts), theirs.manifest(tested.name))
        ours.use(tested.name, f"promote from {source.env}")
        ours.prune(KEEP)
    return tested.name, compared


def _bring(theirs: Versions, ours: Versions, version: Version) -> None:
    """Make the other environment's file our candidate."""
    source = theirs.file(version.name)
    link_or_copy(source, ours.candidate)
    same = source.samefile(ours.candidate) or filecmp.cmp(source, ours.candidate, shallow=False)
    if not same or digest(ours.candidate) != version.facts["digest"]:
        raise VersionError(f"{ours.candidate} is not a true copy of {source}; try again")
