"""Promotion publishes the tested file in another environment, and records it."""

import errno
import json
import os
from pathlib import Path

import duckdb
import pytest

from cli.main import main
from publishing import versions as keeping
from publishing.errors import PublishStoppedError
from publishing.file_store import FileStore
from publishing.manage import rollback, versions
from publishing.promote import promote
from publishing.publish import publish
from publishing.versions import VersionError
from settings import Settings, environments
from tests.publishing.things import build_months, execute, names, query

COUNT = "select count(*) from marts.fct_things"


@pytest.fixture
def staging(tmp_path: Path, settings: Settings) -> Settings:
    staging = settings.model_copy(update={"env": "staging", "data_dir": tmp_path / "staging"})
    build_months(staging, 3, 100)
    return staging


@pytest.fixture
def prod(tmp_path: Path, settings: Settings) -> Settings:
    return settings.model_copy(update={"env": "prod", "data_dir": tmp_path / "prod"})


def test_the_same_file_is_published_and_the_promotion_recorded(staging: Settings, prod: Settings) -> None:
    tested = publish("things", staging)
    for _ in range(2):
        name, compared = promote("things", staging, prod)
        assert name == tested.version
    assert prod.published("things").samefile(staging.published("things"))
    assert names(prod) == [f"{name}.duckdb"]
    assert FileStore("things", prod).manifest(name).exists()
    (known,) = versions("things", prod).versions
    assert known.facts["promoted"]["from"] == "staging"
    assert known.facts["promoted"]["by"].startswith(keeping.user())
    assert [line["what"] for line in versions("things", prod).history] == ["promote from staging"]
    assert "from staging" in str(versions("things", prod))
    # Each environment keeps the file, whatever the other does.
    execute(
        staging, "insert into marts.fct_things select id + 1000, month, amount, words from marts.fct_things"
    )
    later = publish("things", staging, keep=1)
    assert query(prod.published("things"), COUNT) == [(300,)]
    promote("things", staging, prod)
    assert query(prod.published("things"), COUNT) == [(600,)]
    assert rollback("things", settings=prod) == tested.version
    assert promote("things", staging, prod)[0] == later.version
    assert versions("things", prod).active == later.version


def test_rollback_restores_what_the_last_promotion_replaced_even_if_newer(
    staging: Settings, prod: Settings
) -> None:
    first, second, third = (publish("things", staging, run_id=f"{k}") for k in (1, 2, 3))
    for each in (first, third, second):
        promote("things", staging, prod, version=each.version)
    for _ in range(2):
        assert rollback("things", settings=prod) == third.version


def test_the_file_is_copied_to_another_file_system(
    staging: Settings, prod: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish("things", staging)
    link = os.link

    def refuse(source: Path, target: Path) -> None:
        if str(source).startswith(str(staging.data_dir)):
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        link(source, target)

    monkeypatch.setattr(os, "link", refuse)
    promote("things", staging, prod)
    assert not prod.published("things").samefile(staging.published("things"))
    assert prod.published("things").read_bytes() == staging.published("things").read_bytes()


def test_a_changed_file_is_not_promoted(staging: Settings, prod: Settings) -> None:
    first = publish("things", staging).version
    publish("things", staging)
    with duckdb.connect(str(FileStore("things", staging).file(first))) as file:
        file.execute("delete from marts.fct_things where id = 1")
    with pytest.raises(VersionError, match="was changed after it was published"):
        promote("things", staging, prod, version=first)
    assert not prod.published("things").exists()


def test_the_limits_of_the_target_environment_apply(staging: Settings, prod: Settings) -> None:
    publish("things", staging)
    promote("things", staging, prod)
    before = prod.published("things").read_bytes()
    execute(staging, "delete from marts.fct_things where id % 2 = 0")
    publish("things", staging, accept=True)
    with pytest.raises(PublishStoppedError, match="fct_things.*-50.0%"):
        promote("things", staging, prod)
    assert prod.published("things").read_bytes() == before
    promote("things", staging, prod, accept=True)
    assert query(prod.published("things"), COUNT) == [(150,)]
    # Two forced in staging, and two in prod.
    assert len(versions("things", prod).versions[-1].facts["accepted"]) == 4


def test_the_command_promotes_between_configured_environments(
    staging: Settings,
    prod: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = environments.FILE.read_text()
    for env in ("staging", "prod"):
        assert f'data_dir = "data-{env}"' in text
        text = text.replace(f'data_dir = "data-{env}"', f'data_dir = "{tmp_path / env}"')
    file = tmp_path / "environments.toml"
    file.write_text(text)
    monkeypatch.setattr(environments, "FILE", file)
    assert main(["promote", "things", "--from", "staging", "--to", "prod"]) == 2
    assert "nothing of things is published in staging" in capsys.readouterr().err
    version = publish("things", staging).version
    assert main(["promote", "things", version[:20], "--from", "staging", "--to", "prod", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["after"] == version
    assert query(prod.published("things"), COUNT) == [(300,)]
    assert main(["promote", "things", "--from", "prod", "--to", "prod"]) == 2
    assert "the same data folder" in capsys.readouterr().err
    assert main(["promote", "things", "--from", "prod", "--to", "live"]) == 2
    assert "'live'" in capsys.readouterr().err
