"""Versions are kept, compared, rolled back and pruned."""

import json
import os
import subprocess
from typing import Any

import duckdb
import pytest

from cli.main import main
from publishing.errors import PublishError
from publishing.file_store import FileStore, file_stamp
from publishing.manage import diff, prune, rollback, versions
from publishing.publish import publish
from publishing.versions import VersionError
from settings import PROJECT_DIR, Settings
from tests.publishing.months import ROWS, SUMS
from tests.publishing.things import build, execute, names, query
from warehouse import connect


def test_rollback_can_be_repeated_and_can_name_a_version(months: Settings) -> None:
    published = []
    for number in (1, 2, 3):
        execute(months, f"update marts.fct_things set amount = {number}")
        published.append(publish("things", months).version)
    path = months.published("things")
    for _ in range(2):
        assert rollback("things", settings=months) == published[1]
        assert query(path, SUMS) == [(3 * ROWS, 6 * ROWS, 2, 2)]
    assert rollback("things", published[0], months) == published[0]
    # The next publication replaces the active version, so rollback returns to it.
    execute(months, "update marts.fct_things set amount = 7")
    published.append(publish("things", months).version)
    assert versions("things", months).versions[-1].facts["replaces"] == published[0]
    assert rollback("things", settings=months) == published[0]
    what = [line["what"] for line in versions("things", months).history]
    assert what == ["publish", "publish", "publish", "rollback", "rollback", "publish", "rollback"]
    with pytest.raises(VersionError, match="no version 2001"):
        rollback("things", "2001", months)
    with pytest.raises(VersionError, match="versions whose names begin with 20;"):
        rollback("things", "20", months)


def test_rollback_without_an_earlier_version_is_an_error(
    months: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rollback", "things"]) == 2
    publish("things", months)
    assert main(["rollback", "things"]) == 2
    assert "no version before" in capsys.readouterr().err


def test_the_newest_versions_and_the_active_one_are_kept(
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
        ["active", "|", published[2]],
        ["|", published[6], "|"],
    ]


def test_two_versions_are_compared_by_their_statistics(
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


def test_a_version_records_what_it_was_made_of(months: Settings) -> None:
    version = publish("things", months, run_id="manual__2024-01-02T03:04:05+00:00").version
    assert version.endswith("Z_manual__2024-01-02T03-04-05+00-00")
    index = json.loads((FileStore("things", months).folder / "versions.json").read_text())
    (known,) = index["versions"]
    assert known["run_id"] == "manual__2024-01-02T03:04:05+00:00"
    assert known["dbt_invocation_id"] == "an-invocation"
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=PROJECT_DIR, capture_output=True, text=True)
    assert known["git_commit"].removesuffix("-dirty") == commit.stdout.strip()
    assert known["file_stamp"] == file_stamp(months.published("things"))
    table = known["tables"]["fct_things"]
    assert (table["rows"], len(table["checksum"]), len(table["partitions"])) == (3 * ROWS, 32, 3)
    manifest = json.loads(FileStore("things", months).manifest(version).read_text())
    assert manifest["metadata"]["invocation_id"] == "an-invocation"


def test_a_published_file_without_a_version_becomes_one(months: Settings) -> None:
    path = months.published("things")
    path.parent.mkdir(parents=True)
    with connect(months) as warehouse:
        warehouse.execute(f"attach '{path}' as old; create schema old.marts")
        for table in ("fct_things", "dim_dates", "audit_things__row_counts"):
            warehouse.execute(f"create table old.marts.{table} as from marts.{table}")
        warehouse.execute("detach old")
    before = path.read_bytes()
    execute(months, "update marts.fct_things set amount = 2")
    publish("things", months)
    adopted = rollback("things", settings=months)
    assert adopted.endswith("Z_adopted")
    assert path.read_bytes() == before
    assert query(path, SUMS)[0][1] == 3 * ROWS


def test_a_changed_published_file_is_read_again(months: Settings) -> None:
    first = publish("things", months)
    with duckdb.connect(str(first.path)) as published:
        published.execute("delete from marts.fct_things where month = date '2022-01-01'")
    second = publish("things", months)
    assert [each.what for each in second.comparison.differences] == ["rows", "total"]
    assert query(first.path, SUMS) == [(3 * ROWS, 3 * ROWS, 1, 1)]


def test_rollback_refuses_a_changed_version(months: Settings) -> None:
    first = publish("things", months)
    publish("things", months)
    file = FileStore("things", months).file(first.version)
    with duckdb.connect(str(file)) as old:
        old.execute("delete from marts.fct_things where id = 1")
    before = first.path.read_bytes()
    with pytest.raises(VersionError, match="was changed after it was published"):
        rollback("things", settings=months)
    assert first.path.read_bytes() == before


def test_a_published_file_that_is_not_a_database_is_named(months: Settings) -> None:
    path = months.published("things")
    path.parent.mkdir(parents=True)
    path.write_text("no database")
    with pytest.raises(PublishError, match=r"things\.duckdb cannot be read: (?s:.*)move the file away"):
        publish("things", months)


def test_the_command_says_that_a_domain_has_no_versions(settings: Settings, capsys: Any) -> None:
    build(settings)
    assert main(["versions", "things"]) == 0
    assert capsys.readouterr().out == "things has no versions\n"


def test_restored_files_with_the_same_rows_are_accepted(months: Settings) -> None:
    published = [publish("things", months).version for _ in range(2)]
    for name in published:
        os.utime(FileStore("things", months).file(name), (1e9, 1e9))
    assert rollback("things", settings=months) == published[0]
    assert publish("things", months).comparison.unchanged == (
        "audit_things__row_counts",
        "dim_dates",
        "fct_things",
    )


def test_rollback_refuses_a_version_without_its_file(months: Settings) -> None:
    first, _ = (publish("things", months).version for _ in range(2))
    FileStore("things", months).file(first).unlink()
    with pytest.raises(VersionError, match=f"{first}.duckdb is missing"):
        rollback("things", settings=months)
