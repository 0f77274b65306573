"""Versions: readers see a whole one at any moment, whatever is published, rolled back, killed or full."""

import fcntl
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion.warehouse import connect
from operations.__main__ import main
from operations.publishing import candidate
from operations.publishing import publish as publishing
from operations.publishing import versions as keeping
from operations.publishing.errors import PublishError, PublishStoppedError
from operations.publishing.manage import diff, prune, rollback, versions
from operations.publishing.publish import publish
from operations.publishing.versions import VersionError, Versions, digest
from settings import PROJECT_DIR, Settings
from tests.operations.publishing.things import (
    MONTHLY,
    build,
    build_months,
    execute,
    names,
    query,
    write_manifest,
)

ROWS = 20_000
SUMS = "select count(*), sum(amount)::int, min(amount)::int, max(amount)::int from marts.fct_things"


@pytest.fixture(autouse=True)
def _fresh_manifest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "ensure_manifest", lambda settings: None)
    monkeypatch.setattr("operations.__main__.domains", lambda: ["things"])


@pytest.fixture
def months(settings: Settings) -> Settings:
    """Three months of things in the warehouse."""
    build_months(settings, 3, ROWS)
    os.utime(
        settings.manifest, (4e9, 4e9)
    )  # younger than any file of the project, for processes that are started
    return settings


def start(program: str, *arguments: str, settings: Settings, **more: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=PROJECT_DIR,
        env=os.environ | settings.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **more,
    )


READER = """
import select, sys, duckdb
reads, seen = 0, set()
while not select.select([sys.stdin], [], [], 0.005)[0]:
    with duckdb.connect(sys.argv[1], read_only=True) as published:
        count, total, least, most = published.execute(sys.argv[2]).fetchone()
        again = published.execute(sys.argv[2]).fetchone()
    assert (count, total, most) == (60000, 60000 * least, least), (count, total, least, most)
    assert again == (count, total, least, most)
    reads += 1
    seen.add(least)
    if reads == 1:
        print("reading", flush=True)
print(reads, len(seen))
"""


@pytest.mark.slow
def test_readers_see_one_whole_version_at_any_moment(months: Settings) -> None:
    path = publish("things", months).path
    readers = [start(READER, str(path), SUMS, settings=months) for _ in range(4)]
    for reader in readers:
        assert reader.stdout.readline() == "reading\n"
    for number in range(50):
        # Every other one changes a single month, by way of the others.
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
    ("operations.publishing.publish:known", "after", 1),
    ("operations.publishing.candidate:copy", "before", 1),
    ("operations.publishing.candidate:copy", "after", 1),
    ("operations.publishing.publish:compare", "after", 1),
    ("operations.publishing.candidate:_write", "before", 1),
    ("operations.publishing.candidate:_write", "after", 2),
    ("operations.publishing.candidate:_write", "after", 3),
    ("operations.publishing.candidate:_verify", "before", 1),
    ("operations.publishing.candidate:write", "after", 1),
    ("operations.publishing.publish:sync", "after", 1),
    ("operations.publishing.publish:digest", "after", 2),
    ("operations.publishing.versions:Versions.add", "before", 1),
    ("operations.publishing.versions:link_or_copy", "before", 1),
    ("operations.publishing.versions:link_or_copy", "after", 1),
    ("operations.publishing.versions:Versions.note", "after", 1),
    ("operations.publishing.versions:Versions._write", "before", 2),
    ("operations.publishing.versions:Versions._write", "after", 2),
    ("operations.publishing.versions:os.link", "after", 2),
    ("operations.publishing.versions:Versions.use", "after", 1),
    ("operations.publishing.versions:Versions._write", "after", 3),
    ("operations.publishing.versions:Versions.prune", "after", 1),
]
PUBLISH = """
import sys
from tests.kill_at import arm
from operations.publishing.publish import publish
arm(sys.argv[1], sys.argv[2], int(sys.argv[3]))
publish("things", keep=1)
"""


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS, ids=lambda point: f"{point[0].split(':')[1]} {point[1]} {point[2]}")
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
    killed = start(PUBLISH, *map(str, point), settings=months)
    output, _ = killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL, output
    assert query(path, SUMS) in (old, new)
    published = publish("things", months)
    assert query(path, SUMS) == new
    kept = versions("things", months)
    assert kept.in_use == published.version
    assert names(months) == [f"{each.name}.duckdb" for each in kept.versions]


def test_half_of_the_rows_gone_stops_it_with_both_sides_until_somebody_accepts(
    months: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    path = publish("things", months).path
    before, kept = path.read_bytes(), names(months)
    execute(months, f"delete from marts.fct_things where id % {ROWS} >= {ROWS // 2}")
    assert main(["publish", "things"]) == 2
    error = capsys.readouterr().err
    assert (
        "2 differences between things and what is published are beyond their limits: fct_things rows" in error
    )
    assert "| fct_things | rows            |    60,000 | 30,000 | -50.0% | 10.0% | stops |" in error
    assert "| fct_things | total of amount |    60,000 | 30,000 | -50.0% | 10.0% | stops |" in error
    assert "python -m operations publish things --accept" in error
    assert path.read_bytes() == before
    assert names(months) == kept
    (report,) = [each for each in months.reports("things").glob("*.md") if "50.0%" in each.read_text()]
    assert json.loads(report.with_suffix(".json").read_text())["rows"]["fct_things"] == [60_000, 30_000]

    assert main(["publish", "things", "--accept"]) == 0
    assert "accepted: fct_things rows 60,000 30,000 -50.0% 10.0% stops" in capsys.readouterr().out
    assert query(path, SUMS)[0][0] == 30_000
    listed = versions("things", months)
    assert [len(each.facts["accepted"]) for each in listed.versions] == [0, 2]
    assert "accepted by hand" in str(listed)


def test_a_column_that_is_gone_or_of_another_type_stops_it_and_a_new_one_is_told(months: Settings) -> None:
    path = publish("things", months).path
    before = path.read_bytes()
    execute(months, "alter table marts.fct_things rename amount to price")
    with pytest.raises(PublishStoppedError, match="fct_things column of amount"):
        publish("things", months)
    execute(
        months,
        "alter table marts.fct_things rename price to amount",
        "alter table marts.fct_things alter id type varchar",
    )
    with pytest.raises(PublishStoppedError, match="column of id +| BIGINT +| VARCHAR"):
        publish("things", months)
    assert path.read_bytes() == before
    execute(
        months,
        "alter table marts.fct_things alter id type bigint",
        "alter table marts.fct_things add column more int",
    )
    compared = publish("things", months).comparison
    assert [(each.what, each.column, each.after) for each in compared.differences] == [
        ("column", "more", "INTEGER")
    ]
    assert query(path, "select max(more) from marts.fct_things") == [(None,)]
    write_manifest(months, contract={"enforced": False}, **MONTHLY)
    publish("things", months)
    execute(months, "alter table marts.fct_things drop column more")
    assert [each.stops for each in publish("things", months).comparison.differences] == [False]


@pytest.mark.parametrize(
    ("change", "stops"),
    [
        ("update marts.fct_things set words = null where id % 10 = 0", "nulls of words"),
        ("update marts.fct_things set words = null where id % 100 = 0", None),
        ("update marts.fct_things set amount = 0.8", "total of amount"),
        ("update marts.fct_things set amount = -1", "total of amount"),
        ("update marts.fct_things set amount = 1000", None),
        ("update marts.fct_things set id = 0", None),
        ("delete from marts.fct_things", "rows"),
        ("delete from marts.fct_things where id % 20 = 0", None),
        (
            "update marts.fct_things set month = date '2022-02-01' where month > date '2022-02-01'",
            "newest of month",
        ),
        (
            "drop table marts.dim_date; create table marts.dim_date as select 1 as date_day",
            "column of date_day",
        ),
    ],
)
def test_what_is_beyond_its_limit_stops_it_and_nothing_else(
    months: Settings, change: str, stops: str | None
) -> None:
    publish("things", months)
    execute(months, change)
    if stops:
        with pytest.raises(PublishStoppedError, match=stops):
            publish("things", months)
    else:
        assert publish("things", months).comparison.differences or "id = 0" in change


def test_a_sum_that_means_nothing_stops_nothing(months: Settings) -> None:
    publish("things", months)
    execute(months, "update marts.fct_things set amount = -1")
    with pytest.raises(PublishStoppedError, match="total of amount"):
        publish("things", months)
    write_manifest(months, columns={"amount": {"config": {"meta": {"measure": False}}}}, **MONTHLY)
    os.utime(months.manifest, (4e9, 4e9))
    assert publish("things", months).accepted == ()


def test_fewer_rows_of_what_may_shrink_are_no_loss(months: Settings) -> None:
    write_manifest(months, meta={"may_shrink": True}, **MONTHLY)
    os.utime(months.manifest, (4e9, 4e9))
    publish("things", months)
    execute(months, "delete from marts.agg_things_rows_by_file where source_file = 'a.csv'")
    assert publish("things", months).accepted == ()


def test_only_what_differs_is_written(months: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    build_larger(months)
    first = publish("things", months)
    execute(months, "update marts.fct_things set words = 'x' where month = date '2022-03-01'")
    second = publish("things", months)
    assert set(second.comparison.unchanged) == {"agg_things_rows_by_file", "dim_date"}
    kept = Versions("things", months)
    old, new = (blocks(kept.file(each.version)) for each in (first, second))
    assert len(old) > 40
    same = sum(one == other for one, other in zip(old, new, strict=False))
    # One month of twelve, and DuckDB's own.
    assert same > 0.8 * len(old)
    # The checksum is that of the rows, wherever they lie.
    assert tables_of(months, second.version) == tables_of_scratch(months, monkeypatch)


def build_larger(settings: Settings) -> None:
    execute(
        settings,
        "create or replace table marts.fct_things as"
        " select range + month * 50000 as id, (date '2022-01-01' + to_months(month::integer))::date as month,"
        " 1.0::decimal(18, 2) as amount, md5((range * 12 + month)::text) as words"
        " from range(12) as months (month), range(50000) order by month",
    )


def blocks(path: Path) -> list[bytes]:
    content = path.read_bytes()
    return [content[at : at + keeping.BLOCK] for at in range(keeping.HEADERS, len(content), keeping.BLOCK)]


def tables_of(settings: Settings, version: str) -> dict[str, tuple[int, str]]:
    found = Versions("things", settings).get(version).tables
    return {name: (profile.rows, profile.checksum) for name, profile in found.items()}


def tables_of_scratch(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[int, str]]:
    """What a publication would note that has nothing to begin with."""
    settings.published("things").rename(settings.data_dir / "aside.duckdb")
    found = tables_of(settings, publish("things", settings).version)
    settings.published("things").unlink()
    (settings.data_dir / "aside.duckdb").rename(settings.published("things"))
    return found


def test_only_the_months_that_were_written_are_read(
    months: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(months_written: str, run: int) -> list[str]:
        """What dbt does: the month's rows go, and come with the time of the run."""
        where = f"where strftime(month, '%Y-%m') in ({months_written})"
        return [
            f"create or replace temp table written as select * replace ({run}::text as words) from marts.fct_things {where}",
            f"delete from marts.fct_things {where}",
            f"insert into marts.fct_things select * replace (timestamp '2024-01-01' + to_days({run}) as _built_at) from written",
        ]

    execute(
        months, "alter table marts.fct_things add column _built_at timestamp default timestamp '2024-01-01'"
    )
    read: list[list[str]] = []
    measure = publishing.measure

    def noted(connection: duckdb.DuckDBPyConnection, table: Any, keys: Any = None) -> Any:
        if table.mart.name == "fct_things":
            read.append([str(key)[:7] for key in keys])
        return measure(connection, table, keys)

    monkeypatch.setattr(publishing, "measure", noted)
    publish("things", months)
    for changes in (
        write("'2022-03'", 1),
        ["delete from marts.fct_things where id % 7 = 0 and month = date '2022-02-01'"],
        write("'2022-03', '2022-01'", 2),
        ["delete from marts.fct_things where month = date '2022-02-01'"],
        ["checkpoint"],
    ):
        execute(months, *changes)
        version = publish("things", months, accept=True).version
        wanted = tables_of(months, version)
        with monkeypatch.context() as scratch:
            scratch.setattr(publishing, "measure", measure)
            assert wanted == tables_of_scratch(months, monkeypatch)
    first, *later = read
    assert first == ["2022-01", "2022-02", "2022-03"]
    assert later == [["2022-03"], ["2022-02"], ["2022-01", "2022-03"], [], []]


def test_a_month_written_with_the_same_rows_is_the_same(months: Settings) -> None:
    execute(
        months, "alter table marts.fct_things add column _built_at timestamp default timestamp '2024-01-01'"
    )
    first = tables_of(months, publish("things", months).version)
    execute(
        months,
        "update marts.fct_things set _built_at = timestamp '2024-02-01' where month = date '2022-02-01'",
    )
    assert tables_of(months, publish("things", months).version) == first


def test_garbage_in_the_file_is_bounded(months: Settings) -> None:
    build_larger(months)
    path = publish("things", months).path
    size = path.stat().st_size
    for number in range(6):
        execute(months, f"update marts.fct_things set words = md5((id * {number + 2})::text)")
        publish("things", months)
        assert path.stat().st_size < 2.5 * size
    execute(months, "delete from marts.fct_things where month > date '2022-03-01'")
    publish("things", months, accept=True)
    assert path.stat().st_size < size / 2


def test_going_back_is_safe_to_repeat_and_a_version_may_be_named(months: Settings) -> None:
    published = []
    for number in (1, 2, 3):
        execute(months, f"update marts.fct_things set amount = {number}")
        published.append(publish("things", months).version)
    path = months.published("things")
    for _ in range(2):
        assert rollback("things", settings=months) == published[1]
        assert query(path, SUMS) == [(3 * ROWS, 6 * ROWS, 2, 2)]
    assert rollback("things", published[0], months) == published[0]
    # What is published next is compared with what is in use, and going back leads there.
    execute(months, "update marts.fct_things set amount = 7")
    published.append(publish("things", months).version)
    assert versions("things", months).versions[-1].facts["replaces"] == published[0]
    assert rollback("things", settings=months) == published[0]
    what = [line["what"] for line in versions("things", months).history]
    assert what == ["publish", "publish", "publish", "rollback", "rollback", "publish", "rollback"]
    with pytest.raises(VersionError, match="no version 2001"):
        rollback("things", "2001", months)
    with pytest.raises(VersionError, match="or several"):
        rollback("things", "20", months)


def test_nothing_to_go_back_to_is_an_error(months: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rollback", "things"]) == 2
    publish("things", months)
    assert main(["rollback", "things"]) == 2
    assert "no version before" in capsys.readouterr().err


def test_the_newest_versions_and_the_one_in_use_are_kept(
    months: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    published = [publish("things", months).version for _ in range(7)]
    assert names(months) == [f"{name}.duckdb" for name in published[-5:]]
    rollback("things", published[2], months)
    assert prune("things", 2, months) == published[3:5]
    assert prune("things", 2, months) == []
    assert names(months) == [f"{name}.duckdb" for name in (published[2], *published[5:])]
    assert main(["prune", "things", "--keep", "0"]) == 2
    assert "1 or more" in capsys.readouterr().err
    assert main(["prune", "things", "--keep", "1"]) == 0
    assert capsys.readouterr().out == f"removed {published[5]}\n"
    assert main(["versions", "things"]) == 0
    assert [line.split()[1:4] for line in capsys.readouterr().out.splitlines()[2:]] == [
        ["in", "use", "|"],
        ["|", published[6], "|"],
    ]


def test_two_versions_are_compared_by_what_is_known_of_them(
    months: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    first = publish("things", months).version
    execute(months, "delete from marts.fct_things where id % 20 = 0")
    second = publish("things", months).version
    compared = diff("things", first, second, months)
    assert [(each.what, each.before, each.after) for each in compared.differences] == [
        ("rows", 60_000, 57_000),
        ("total", 60_000, 57_000),
    ]
    assert main(["diff", "things", second, first]) == 0
    assert "57,000 | 60,000" in capsys.readouterr().out
    assert main(["diff", "things", second, "1999"]) == 2


def test_what_a_version_was_made_of_is_kept_with_it(months: Settings) -> None:
    version = publish("things", months, run_id="manual__2024-01-02T03:04:05+00:00").version
    assert version.endswith("Z_manual__2024-01-02T03-04-05+00-00")
    index = json.loads((Versions("things", months).folder / "versions.json").read_text())
    (known,) = index["versions"]
    assert known["run_id"] == "manual__2024-01-02T03:04:05+00:00"
    assert known["dbt_invocation_id"] == "an-invocation"
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=PROJECT_DIR, capture_output=True, text=True)
    assert known["git_commit"].removesuffix("-dirty") == commit.stdout.strip()
    assert known["digest"] == digest(months.published("things"))
    table = known["tables"]["fct_things"]
    assert (table["rows"], len(table["checksum"]), len(table["slices"])) == (3 * ROWS, 32, 3)
    manifest = json.loads(Versions("things", months).manifest(version).read_text())
    assert manifest["metadata"]["invocation_id"] == "an-invocation"


def test_a_published_file_of_before_becomes_a_version(months: Settings) -> None:
    path = months.published("things")
    path.parent.mkdir(parents=True)
    with connect(months) as warehouse:
        warehouse.execute(f"attach '{path}' as old; create schema old.marts")
        for table in ("fct_things", "dim_date", "agg_things_rows_by_file"):
            warehouse.execute(f"create table old.marts.{table} as from marts.{table}")
        warehouse.execute("detach old")
    before = path.read_bytes()
    execute(months, "update marts.fct_things set amount = 2")
    publish("things", months)
    adopted = rollback("things", settings=months)
    assert adopted.endswith("Z_adopted")
    assert path.read_bytes() == before
    assert query(path, SUMS)[0][1] == 3 * ROWS


def test_a_published_file_that_somebody_changed_is_not_taken_for_what_it_was(months: Settings) -> None:
    first = publish("things", months)
    with duckdb.connect(str(first.path)) as published:
        published.execute("delete from marts.fct_things where month = date '2022-01-01'")
    second = publish("things", months)
    assert [each.what for each in second.comparison.differences] == ["rows", "total"]
    assert query(first.path, SUMS) == [(3 * ROWS, 3 * ROWS, 1, 1)]


def test_a_version_whose_file_was_changed_is_not_gone_back_to(months: Settings) -> None:
    first = publish("things", months)
    publish("things", months)
    file = Versions("things", months).file(first.version)
    with duckdb.connect(str(file)) as old:
        old.execute("delete from marts.fct_things where id = 1")
    before = first.path.read_bytes()
    with pytest.raises(VersionError, match="checksums differ"):
        rollback("things", settings=months)
    assert first.path.read_bytes() == before


def test_a_published_file_that_is_no_database_is_named(months: Settings) -> None:
    path = months.published("things")
    path.parent.mkdir(parents=True)
    path.write_text("no database")
    with pytest.raises(PublishError, match="things.duckdb cannot be compared with; move it away"):
        publish("things", months)


def test_one_process_at_a_time_changes_versions_and_the_others_name_it(months: Settings) -> None:
    publish("things", months)
    kept = Versions("things", months)
    hold = "import fcntl, os, sys; f = open(sys.argv[1], 'r+'); fcntl.flock(f, fcntl.LOCK_EX); f.truncate(0); f.write(str(os.getpid())); "
    hold += "f.flush(); print('held', flush=True); sys.stdin.read()"
    holder = start(hold, str(kept.folder / ".lock"), settings=months)
    assert holder.stdout.readline() == "held\n"
    with (
        pytest.raises(PublishError, match=f"versions of things are being changed: process {holder.pid} has"),
        kept.lock(wait_seconds=0.3),
    ):
        pass
    # A lock outlives nobody.
    holder.kill()
    holder.communicate()
    with kept.lock(wait_seconds=5):
        pass


@pytest.mark.slow
def test_publications_at_the_same_time_follow_each_other(months: Settings) -> None:
    program = (
        "from operations.publishing.publish import publish; import sys; publish('things', run_id=sys.argv[1])"
    )
    together = [start(program, f"run{number}", settings=months) for number in range(4)]
    for each in together:
        output, _ = each.communicate(timeout=120)
        assert each.returncode == 0, output
    kept = versions("things", months)
    assert {each.facts["run_id"] for each in kept.versions} == {f"run{number}" for number in range(4)}
    assert kept.in_use == kept.versions[-1].name
    replaced = [each.facts["replaces"] for each in kept.versions]
    assert replaced == [None, *(each.name for each in kept.versions[:-1])]


FULL = """
import resource, sys
from operations.publishing.publish import publish
# As on a full disk, a write fails in the middle of the file; it is the one way to have that anywhere.
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
try:
    publish("things")
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_a_full_disk_leaves_the_old_version_and_no_rubbish(months: Settings, share: float) -> None:
    build_larger(months)
    path = publish("things", months).path
    before, kept = path.read_bytes(), names(months)
    execute(months, "update marts.fct_things set words = md5(words)")
    writer = start(FULL, str(int(share * len(before))), settings=months)
    output, _ = writer.communicate(timeout=60)
    assert output.startswith("PublishError things could not be published"), output
    assert path.read_bytes() == before
    assert names(months) == kept
    publish("things", months)


def test_a_first_publication_has_nothing_to_compare_with(months: Settings) -> None:
    publication = publish("things", months)
    assert publication.comparison.before is None
    assert publication.comparison.differences == ()
    (report,) = months.reports("things").glob("diff_*.md")
    assert "Nothing was published before" in report.read_text()


def test_a_lock_is_one_of_the_kernel(months: Settings) -> None:
    kept = Versions("things", months)
    with kept.lock(), (kept.folder / ".lock").open() as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)


def test_a_copy_is_whole_wherever_the_kernel_can_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = os.urandom(3_000_000)
    (tmp_path / "a").write_bytes(content)
    candidate.copy(tmp_path / "a", tmp_path / "b")

    def refuse(*_: Any) -> int:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "copy_file_range", refuse)
    candidate.copy(tmp_path / "a", tmp_path / "c")
    assert (tmp_path / "b").read_bytes() == (tmp_path / "c").read_bytes() == content


def test_a_build_that_fails_to_be_read_back_is_not_published(
    months: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish("things", months)
    before = months.published("things").read_bytes()
    execute(months, "update marts.fct_things set words = 'x' where month = date '2022-03-01'")
    original = candidate._write

    def wrong(warehouse: duckdb.DuckDBPyConnection, table: Any, *more: Any) -> Any:
        written = original(warehouse, table, *more)
        if table.mart.name == "fct_things":
            warehouse.execute(
                f"update {candidate.NAME}.marts.fct_things set words = 'y' where id = {3 * ROWS - 1}"
            )
        return written

    monkeypatch.setattr(candidate, "_write", wrong)
    with pytest.raises(PublishError, match="does not hold what the warehouse does"):
        publish("things", months)
    assert months.published("things").read_bytes() == before


def test_a_domain_without_versions_is_said_to_have_none(settings: Settings, capsys: Any) -> None:
    build(settings)
    assert main(["versions", "things"]) == 0
    assert capsys.readouterr().out == "things has no versions\n"
