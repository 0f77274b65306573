"""Fixtures: a warehouse with a fact that is rebuilt by month."""

import os

import pytest

from publishing import publish as publishing
from settings import Settings
from tests.publishing.months import ROWS
from tests.publishing.things import build_months


@pytest.fixture(autouse=True)
def _only_things(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the manifest of the tests, and let the command line know their domain only."""
    monkeypatch.setattr(publishing, "ensure_manifest", lambda settings: None)
    monkeypatch.setattr("cli.options.domains", lambda: ["things"])


@pytest.fixture
def months(settings: Settings) -> Settings:
    """Return settings with three months of things in the warehouse."""
    build_months(settings, 3, ROWS)
    # Younger than any file of the project, so that started processes use it.
    os.utime(settings.manifest, (4e9, 4e9))
    return settings
