"""Old logs go, the warehouse file gives back what is free, and nothing is lost by it."""

import os
import shutil
import time
from pathlib import Path

import duckdb
import pytest

from cli.main import main
from orchestration.housekeeping import clean_up
from settings import Settings
from tests.holding import held
from warehouse import WarehouseBusyError, WarehouseError, compact, connect


@pytest.fixture
def half_empty(settings: Settings) -> Settings:
    """A warehouse of which most is free."""
    with connect(settings) as warehouse:
        warehouse.execute("create schema marts")
        warehouse.execute(
            "create table marts.large as select range as id, md5(range::text) as text from range(500000)"
        )
        warehouse.execute(
            "create table marts.small (id bigint not null, made timestamp default current_timestamp)"
        )
        warehouse.execute("insert into marts.small (id) select range from range(1000)")
        warehouse.execute("create schema clean")
        warehouse.execute("create view clean.view_of_small as select id from marts.small where id < 10")
        warehouse.execute("checkpoint")
        warehouse.execute("drop table marts.large")
        warehouse.execute("checkpoint")
    return settings


def test_the_file_gives_back_what_is_free_and_keeps_everything_else(half_empty: Settings) -> None:
    before = half_empty.warehouse.stat().st_size
    assert compact.compact(half_empty) == 0, "too little to be worth it"
    saved = compact.compact(half_empty, least_bytes=1)
    assert saved > before / 2
    assert half_empty.warehouse.stat().st_size == before - saved
    with duckdb.connect(str(half_empty.warehouse), read_only=True) as opened:
        assert opened.execute("select count(*), count(made) from marts.small").fetchall() == [(1000, 1000)]
        assert opened.execute("select count(*) from clean.view_of_small").fetchall() == [(10,)]
        ((tags,),) = opened.execute(
            "select tags from duckdb_databases() where database_name = 'dev'"
        ).fetchall()
    assert [path.name for path in half_empty.warehouse.parent.iterdir()] == [half_empty.warehouse.name]
    with connect(half_empty) as warehouse:
        with pytest.raises(duckdb.ConstraintException):
            warehouse.execute("insert into marts.small (id) values (null)")
        warehouse.execute("insert into marts.small (id) values (1)")
    assert "storage_version" in tags


def test_a_copy_that_is_not_complete_is_thrown_away(
    half_empty: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = half_empty.warehouse.read_bytes()
    rows = compact._rows
    monkeypatch.setattr(
        compact, "_rows", lambda warehouse, name: rows(warehouse, name) | ({"marts.small": 1} if name == compact.NEW else {})
    )  # fmt: skip
    with pytest.raises(WarehouseError, match=r"the copy of marts\.small is not complete"):
        compact.compact(half_empty, least_bytes=1)
    assert half_empty.warehouse.read_bytes() == content
    assert [path.name for path in half_empty.warehouse.parent.iterdir()] == [half_empty.warehouse.name]


def test_a_file_that_somebody_holds_stays(half_empty: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compact, "WAIT_SECONDS", 0.5)
    with held(half_empty.warehouse), pytest.raises(WarehouseBusyError):
        compact.compact(half_empty, least_bytes=1)


def test_old_logs_go_and_new_ones_stay(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    logs = settings.airflow_home / "logs" / "dag_id=taxi"
    old, new = logs / "run_id=a" / "attempt=1.log", logs / "run_id=b" / "attempt=1.log"
    for path in (old, new):
        path.parent.mkdir(parents=True)
        path.write_text("log")
    long_ago = time.time() - 40 * 86_400
    os.utime(old, (long_ago, long_ago))
    os.utime(old.parent, (long_ago, long_ago))
    outside = settings.data_dir / "kept.log"
    outside.write_text("log")
    os.utime(outside, (long_ago, long_ago))
    (logs / "link.log").symlink_to(outside)
    left, at_work = settings.data_dir / ".backup-left", settings.data_dir / ".backup-at-work"
    for folder in (left, at_work):
        folder.mkdir()
        (folder / "part").write_text("part")
    os.utime(left, (long_ago, long_ago))
    assert main(["housekeeping"]) == 0
    assert capsys.readouterr().out == "removed 1 log files and 0 versions; the warehouse gave back 0 MB\n"
    assert not old.exists()
    assert new.exists()
    assert (left.exists(), at_work.exists()) == (False, True)
    assert outside.exists()
    assert clean_up(settings, log_days=1).logs == 0
    shutil.rmtree(logs)


def test_versions_beyond_those_that_are_kept_go(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from publishing import publish as publishing
    from publishing.manage import versions
    from tests.publishing.things import build_months, execute

    monkeypatch.setattr(publishing, "ensure_manifest", lambda settings: None)
    build_months(settings, 1, 10)
    for number in range(7):
        execute(settings, f"update marts.fct_things set amount = {1 + number / 100}")
        publishing.publish("things", settings, keep=10)
    cleaned = clean_up(settings)
    assert len(cleaned.versions["things"]) == 2
    assert len(versions("things", settings).versions) == 5
