"""Fixtures: a data folder with two versions of one domain, and what was delivered for it."""

from pathlib import Path

import pytest

from publishing import publish as publishing
from publishing.publish import publish
from settings import Settings
from tests.publishing.things import build_months, execute


@pytest.fixture
def published(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(publishing, "ensure_manifest", lambda settings: None)
    build_months(settings, 3, 1000)
    publish("things", settings)
    execute(settings, "update marts.fct_things set amount = 1.01 where id = 0")
    publish("things", settings)
    landing = settings.landing("things")
    landing.mkdir(parents=True)
    (landing / "delivered.csv").write_text("id\n1\n")
    return settings


@pytest.fixture
def backups(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for backups."""
    return tmp_path_factory.mktemp("backups")
