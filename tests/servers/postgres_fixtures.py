"""A PostgreSQL server for a module's tests, and settings that lead each test to a fresh database on it."""

from collections.abc import Iterator

import pytest

import settings as project_settings
from settings import Settings
from tests.servers.databases import database, prepare
from tests.servers.postgres import Postgres, postgres


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A server with the user of the platform."""
    with postgres() as running:
        prepare(running)
        yield running


@pytest.fixture
def settings(server: Postgres, data_dir: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings with a data folder and a database of the test's own, for this process and for those that it starts."""
    with database(server) as variables:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        settings = project_settings.load()
        for name, value in settings.environment().items():
            monkeypatch.setenv(name, value)
        yield settings


__all__ = ["server", "settings"]
