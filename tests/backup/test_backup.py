"""A backup is complete or none, is made while others work, and restores what was there."""

import shutil
import stat
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from threading import Thread

import duckdb
import pytest

from backup.create import create_backup
from backup.errors import BackupError
from backup.restore import restore_backup, verify_backup
from cli.main import main
from local_airflow.configuration import credentials
from publishing.manage import rollback, versions
from publishing.store import store_of
from settings import Settings
from tests.holding import held
from tests.servers.s3 import BUCKET, s3

SUM = "select count(*), sum(amount)::varchar from marts.fct_things"


def total(path: Path) -> tuple[int, str]:
    with duckdb.connect(str(path), read_only=True) as opened:
        return opened.execute(SUM).fetchone()


def lose(settings: Settings) -> None:
    shutil.rmtree(settings.data_dir)


def test_what_was_lost_is_restored_with_its_versions(published: Settings, backups: Path) -> None:
    before, state = versions("things", published), total(published.warehouse)
    keys = credentials(published)
    made = create_backup(published, str(backups))
    assert stat.S_IMODE(Path(made).stat().st_mode) == 0o600
    assert list(published.data_dir.glob(".backup-*")) == []
    lose(published)
    facts = restore_backup(published, made)
    assert (facts["env"], facts["target"]) == (published.env, "duckdb")
    assert versions("things", published) == before
    assert total(published.warehouse) == state
    assert (published.landing("things") / "delivered.csv").read_text() == "id\n1\n"
    store = store_of("things", published)
    for version in before.versions:
        store.verify(version)
    # Readers go back as before: the names that a version has are those of one file.
    assert rollback("things", None, published) == before.versions[0].name
    assert total(published.published("things")) == (3000, "3000.00")
    assert list(published.data_dir.glob(".restore-*")) == []
    assert keys == credentials(published) or not (published.airflow_home / "airflow.db").exists()


@pytest.mark.parametrize("damage", ["cut off", "changed", "no backup"])
def test_a_damaged_backup_restores_nothing(published: Settings, backups: Path, damage: str) -> None:
    made = Path(create_backup(published, str(backups)))
    content = bytearray(made.read_bytes())
    if damage == "cut off":
        made.write_bytes(content[: len(content) // 2])
    elif damage == "changed":
        content[content.index(b"id\n1\n") + 3] = ord("2")
        made.write_bytes(content)
    else:
        made.write_text("something else")
    with pytest.raises(
        BackupError, match=r"no complete backup|not as they were saved: landing/things/deliver"
    ):
        verify_backup(str(made))
    lose(published)
    with pytest.raises(BackupError):
        restore_backup(published, str(made))
    assert [*published.data_dir.iterdir()] == []


def test_a_backup_waits_for_who_writes(published: Settings, backups: Path) -> None:
    with held(published.warehouse) as writer:
        made: list[str] = []
        backup = Thread(target=lambda: made.append(create_backup(published, str(backups))))
        backup.start()
        time.sleep(1)
        assert made == []
        assert [*backups.iterdir()] == []
        writer.kill()
        backup.join(60)
    assert verify_backup(made[0])["files"]


def test_the_lock_of_a_writer_stays_while_its_file_is_copied(published: Settings, backups: Path) -> None:
    """Closing a file would release the lock that DuckDB has on it; another process would write into the copy."""
    program = "import duckdb, sys; duckdb.connect(sys.argv[1])"
    tried: list[int] = []

    def copy(command: list[str], **options: object) -> subprocess.CompletedProcess:
        done = run(command, **options)
        if command[0] == "cp":
            tried.append(run([sys.executable, "-c", program, command[2]], capture_output=True).returncode)
        return done

    run = subprocess.run
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(subprocess, "run", copy)
        create_backup(published, str(backups))
    assert tried == [1]


def test_only_the_newest_backups_of_an_environment_stay(published: Settings, backups: Path) -> None:
    other = backups / "sluice-prod-20200101T000000Z.tar"
    old = [backups / f"sluice-{published.env}-2020010{day}T000000Z.tar" for day in (1, 2, 3)]
    for path in (other, *old):
        path.touch()
    made = create_backup(published, str(backups), keep=2)
    assert sorted(backups.iterdir()) == sorted([other, old[-1], Path(made)])


def test_data_that_is_there_is_never_replaced(published: Settings, backups: Path) -> None:
    made = create_backup(published, str(backups))
    before = total(published.warehouse)
    with pytest.raises(BackupError, match="exists: restore into an empty data folder"):
        restore_backup(published, made)
    assert total(published.warehouse) == before
    lose(published)
    other = published.model_copy(update={"env": "staging"})
    with pytest.raises(BackupError, match="it is a backup of env dev"):
        restore_backup(other, made)


def test_the_input_may_stay_out(published: Settings, backups: Path) -> None:
    made = create_backup(published, str(backups), with_input=False)
    assert not [name for name in verify_backup(made)["files"] if name.startswith("landing")]


def test_the_database_of_a_local_airflow_is_in_it_while_it_is_written(
    published: Settings, backups: Path
) -> None:
    import sqlite3

    keys = credentials(published)
    with closing(sqlite3.connect(published.airflow_home / "airflow.db")) as database:
        database.execute("pragma journal_mode = wal")
        database.execute("create table runs (id int)")
        database.execute("insert into runs values (1)")
        database.commit()
        made = create_backup(published, str(backups))
    lose(published)
    restore_backup(published, made)
    with closing(sqlite3.connect(published.airflow_home / "airflow.db")) as database:
        assert database.execute("select * from runs").fetchall() == [(1,)]
    assert credentials(published) == keys


def test_a_bucket_takes_backups(published: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with s3() as bucket:
        for name, value in bucket.variables.items():
            monkeypatch.setenv(name, value)
        made = create_backup(published, f"s3://{BUCKET}/backups", keep=1)
        before = versions("things", published)
        lose(published)
        restore_backup(published, made)
    assert versions("things", published) == before


@pytest.mark.skipif(not shutil.which("gpg"), reason="GnuPG is not installed")
def test_an_encrypted_backup_shows_nothing(
    published: Settings, backups: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "gpg"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("GNUPGHOME", str(home))
    name = "backup@example.org"
    made = ["gpg", "--batch", "--passphrase", "", "--quick-generate-key", name, "default", "default", "never"]
    subprocess.run(made, check=True, capture_output=True)
    try:
        with pytest.raises(BackupError, match="gpg: .*nobody@example.org"):
            create_backup(published, str(backups), recipient="nobody@example.org")
        assert [*backups.iterdir()] == []
        written = create_backup(published, str(backups), recipient=name)
        assert b"delivered.csv" not in Path(written).read_bytes()
        assert "landing/things/delivered.csv" in verify_backup(written)["files"]
        Path(written).write_bytes(Path(written).read_bytes()[:-100])
        with pytest.raises(BackupError):
            verify_backup(written)
    finally:
        subprocess.run(["gpgconf", "--kill", "all"], check=False)


def test_it_runs_from_a_shell(published: Settings, backups: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backup", "create", str(backups)]) == 0
    made = capsys.readouterr().out.strip()
    assert main(["backup", "verify", made]) == 0
    assert "is complete:" in capsys.readouterr().out
    assert main(["backup", "restore", str(backups / "none.tar")]) == 2
    assert main(["backup", "verify", str(backups / "none.tar")]) == 2
    assert f"error: there is no backup {backups / 'none.tar'}" in capsys.readouterr().err
