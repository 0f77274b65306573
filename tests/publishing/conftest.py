"""A warehouse with a fact of months."""

import os

import pytest

from publishing import publish as publishing
from settings import Settings
from tests.publishing.months import ROWS
from tests.publishing.things import build_months


@pytest.fixture(autouse=True)
def _only_things(monkeypatch: pytest.MonkeyPatch) -> None:
    """The manifest is that of the tests, and there is no domain but theirs."""
    monkeypatch.setattr(publishing, "ensure_manifest", lambda settings: None)
    monkeypatch.setattr("cli.options.domains", lambda: ["things"])


@pytest.fixture
def months(settings: Settings) -> Settings:
    """Three months of things in the warehouse."""
    build_months(settings, 3, ROWS)
    # Younger than any file of the project, for processes that are started.
    os.utime(settings.manifest, (4e9, 4e9))
    return settings
