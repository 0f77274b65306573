"""Publish and roll back beside readers and other publishers, on a full disk, and through kills."""

import fcntl
import os
import subprocess
import sys

import pytest

from publishing import versions as keeping
from publishing.errors import PublishError
from publishing.file_store import FileStore
from publishing.manage import rollback, versions
from publishing.publish import publish
from settings import PROJECT_DIR, Settings
from tests.kill_at import named, run_to_death
from tests.publishing.months import ROWS, SUMS, build_larger
from tests.publishing.things import execute, names, query


def start(program: str, *arguments: str, settings: Settings) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", f"tests.publishing.{program}", *arguments],
        cwd=PROJECT_DIR,
        env=os.environ | settings.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.slow
def test_readers_see_one_whole_version_at_any_moment(months: Settings) -> None:
    path = publish("things", months).path
    readers = [start("read_file", str(path), settings=months) for _ in range(4)]
    for reader in readers:
        assert reader.stdout.readline() == "reading\n"
    for number in range(50):
        # All rows get the same new amount.
        execute(months, f"update marts.fct_things set amount = {number % 9 + 1}")
        publish("things", months, accept=True)
        if number % 5 == 4:
            before = versions("things", months).versions[-1].facts["replaces"]
            assert rollback("things", settings=months) == before
    for reader in readers:
        output, _ = reader.communicate("stop", timeout=60)
        assert reader.returncode == 0, output
        reads, seen = map(int, output.split())
        assert reads > 50
        assert seen > 3
    assert len(names(months)) == keeping.KEEP


POINTS = [
    ("publishing.file_store:FileStore.current_stats", "after", 1),
    ("publishing.file_store:copy", "before", 1),
    ("publishing.file_store:copy", "after", 1),
    ("publishing.publish:compare", "after", 1),
    ("publishing.candidate:_write_table", "before", 1),
    ("publishing.candidate:_write_table", "after", 2),
    ("publishing.candidate:_write_table", "after", 3),
    ("publishing.candidate:verify_written", "before", 1),
    ("publishing.candidate:write", "after", 1),
    ("publishing.file_store:sync", "after", 1),
    ("publishing.file_store:file_stamp", "after", 2),
    ("publishing.file_store:FileStore.add", "before", 1),
    ("publishing.file_store:link_or_copy", "before", 1),
    ("publishing.file_store:link_or_copy", "after", 1),
    ("publishing.file_store:FileStore._record", "after", 1),
    ("publishing.file_store:FileStore._write_index", "before", 2),
    ("publishing.file_store:FileStore._write_index", "after", 2),
    ("publishing.file_store:os.link", "after", 2),
    ("publishing.file_store:FileStore.activate", "after", 1),
    ("publishing.file_store:FileStore._write_index", "after", 3),
    ("publishing.store:Store.prune", "after", 1),
]


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS, ids=named)
def test_a_killed_publish_leaves_a_whole_version_and_the_next_one_succeeds(
    months: Settings, point: tuple[str, str, int]
) -> None:
    path = publish("things", months).path
    old = query(path, SUMS)
    execute(
        months,
        "update marts.fct_things set amount = 2 where month = date '2022-02-01'",
        "insert into marts.fct_things select id + 1e6, date '2022-04-01', 2, 'new' from marts.fct_things limit 500",
    )
    new = [(3 * ROWS + 500, 4 * ROWS + 1000, 1, 2)]
    run_to_death(point, months, "tests.publishing.publish_things")
    assert query(path, SUMS) in (old, new)
    published = publish("things", months)
    assert query(path, SUMS) == new
    kept = versions("things", months)
    assert kept.active == published.version
    assert names(months) == [f"{each.name}.duckdb" for each in kept.versions]


def test_one_process_changes_versions_and_others_name_it(months: Settings) -> None:
    publish("things", months)
    kept = FileStore("things", months)
    holder = start("hold_lock", str(kept.folder / ".lock"), settings=months)
    assert holder.stdout.readline() == "held\n"
    with (
        pytest.raises(
            PublishError, match=f"another process changes the versions of things: process {holder.pid} holds"
        ),
        kept.lock(wait_seconds=0.3),
    ):
        pass
    # The kernel releases the lock of a killed process.
    holder.kill()
    holder.communicate()
    with kept.lock(wait_seconds=5):
        pass


@pytest.mark.slow
def test_simultaneous_publications_run_one_after_another(months: Settings) -> None:
    together = [start("publish_things", f"run{number}", "5", settings=months) for number in range(4)]
    for each in together:
        output, _ = each.communicate(timeout=120)
        assert each.returncode == 0, output
    kept = versions("things", months)
    assert {each.facts["run_id"] for each in kept.versions} == {f"run{number}" for number in range(4)}
    assert kept.active == kept.versions[-1].name
    replaced = [each.facts["replaces"] for each in kept.versions]
    assert replaced == [None, *(each.name for each in kept.versions[:-1])]


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_a_full_disk_leaves_the_old_version_and_nothing_else(months: Settings, share: float) -> None:
    build_larger(months)
    path = publish("things", months).path
    before, kept = path.read_bytes(), names(months)
    execute(months, "update marts.fct_things set words = md5(words)")
    writer = start("publish_on_full_disk", str(int(share * len(before))), settings=months)
    output, _ = writer.communicate(timeout=60)
    assert output.startswith("PublishError things could not be published"), output
    assert path.read_bytes() == before
    assert names(months) == kept
    publish("things", months)


def test_the_lock_is_held_by_the_kernel(months: Settings) -> None:
    kept = FileStore("things", months)
    with kept.lock(), (kept.folder / ".lock").open() as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
