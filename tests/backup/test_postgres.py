"""The backup of a warehouse on a server."""

# ruff: noqa: F811 (a test's arguments are fixtures that are imported)
from pathlib import Path

import pytest

from backup.create import create_backup
from backup.errors import BackupError
from backup.restore import restore_backup
from publishing.manage import rollback, versions
from publishing.publish import publish
from settings import Settings
from tests.publishing.test_postgres import SUMS, change, execute, query, things
from tests.servers.postgres_fixtures import server, settings

__all__ = ["server", "settings", "things"]


def test_the_database_is_restored_with_its_versions(
    things: Settings, backups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("publishing.publish.ensure_manifest", lambda settings: None)
    publish("things", things)
    change(things, 2)
    publish("things", things)
    before = versions("things", things)
    sums = query(things, SUMS.format("published_things"))
    made = create_backup(things, str(backups))
    ((dropped,),) = query(
        things,
        "select string_agg(format('drop schema %I cascade', nspname), '; ') from pg_namespace"
        " where nspname !~ '^(pg_|information_schema|public)'",
    )
    execute(things, dropped)
    restore_backup(things, made)
    assert versions("things", things) == before
    assert query(things, SUMS.format("published_things")) == sums
    assert rollback("things", None, things) == before.versions[0].name
    assert query(things, SUMS.format("published_things")) != sums


def test_a_server_that_refuses_is_named_and_no_password(
    things: Settings, backups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = things.postgres.password.get_secret_value()
    gone = things.postgres.model_copy(update={"database": "no_such_database"})
    monkeypatch.setattr("backup.create.warehouse_exists", lambda settings: False)
    with pytest.raises(BackupError, match="pg_dump: .*no_such_database") as error:
        create_backup(things.model_copy(update={"postgres": gone}), str(backups))
    assert password not in str(error.value)
    assert [*backups.iterdir()] == []
