"""Fixtures for all tests."""

from pathlib import Path

import pytest

import settings as project_settings
from settings import Settings

SHARED_DATA = project_settings.PROJECT_DIR.parent / "shared" / "data"


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with a data folder of the test's own, for this process and for those that it starts."""
    monkeypatch.setenv("SLUICE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("SLUICE_ENV", raising=False)
    settings = project_settings.load()
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    return settings


@pytest.fixture
def settings(data_dir: Settings) -> Settings:
    """The same, for tests to which the folder is incidental."""
    return data_dir


@pytest.fixture
def shared_data() -> Path:
    """Folder of real sample files, one folder a domain; not part of the project."""
    if not SHARED_DATA.is_dir():
        pytest.skip("real sample files (../shared/data) are not here")
    return SHARED_DATA
