"""Fixtures for all tests."""

import os
from pathlib import Path
from typing import Any

import pytest

import settings as project_settings
from settings import Settings
from tests.order import FewAirflows
from tests.parsed import Parsed

SHARED_DATA = project_settings.PROJECT_DIR.parent / "shared" / "data"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FewAirflows | None:
    """Of `--dist loadfile`, which keeps the tests of a file together."""
    return FewAirflows(config, log) if config.getvalue("dist") == "loadfile" else None


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


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all processes that run these tests."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def project(shared_folder: Path) -> Parsed:
    """The project as dbt has parsed it, for new data folders."""
    return Parsed(shared_folder / "parsed")
