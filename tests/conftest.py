"""Fixtures for all tests."""

import os
from pathlib import Path
from typing import Any

import pytest

import settings as project_settings
from settings import Settings
from tests import sample_domains, skips
from tests.order import FewAirflows
from tests.parsed import Parsed

SHARED_DATA = project_settings.PROJECT_DIR.parent / "shared" / "data"


pytest_ignore_collect = sample_domains.pytest_ignore_collect


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Sum up what was not run."""
    skips.pytest_terminal_summary(terminalreporter)
    sample_domains.pytest_terminal_summary(terminalreporter)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FewAirflows | None:
    """Replace the scheduler of `--dist loadfile`."""
    return FewAirflows(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with a data folder for this test, for this process and the processes that it starts."""
    monkeypatch.setenv("SLUICE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("SLUICE_ENV", raising=False)
    settings = project_settings.load()
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    return settings


@pytest.fixture
def settings(data_dir: Settings) -> Settings:
    """The same as `data_dir`, for tests that do not look at the folder."""
    return data_dir


@pytest.fixture
def shared_data() -> Path:
    """Folder of real sample files, one folder per domain; not part of the project."""
    if not SHARED_DATA.is_dir():
        pytest.skip("needs the real sample files in ../shared/data")
    return SHARED_DATA


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all test processes."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def project(shared_folder: Path) -> Parsed:
    """The parsed dbt project, for new data folders."""
    return Parsed(shared_folder / "parsed")
