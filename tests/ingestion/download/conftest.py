"""A file server, and a folder for downloads."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ingestion.download.file_server import FileServer, serving


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving() as files:
        yield files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "landing"
