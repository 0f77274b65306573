"""A file to download, and the contents of the folder afterwards."""

import gzip
import random
from pathlib import Path

import pytest

from ingestion.download.download import Download, DownloadError, download
from ingestion.retry_policy import RetryPolicy

CONTENT = random.Random(1).randbytes(400_000)
OTHER = random.Random(2).randbytes(400_000)
HALF = len(CONTENT) // 2
ATTEMPTS = 3
BEFORE = "Mon, 01 Jan 2024 00:00:00 GMT"


def fetch(url: str, folder: Path, timeout: float = 5) -> Download:
    return download(url, folder, RetryPolicy(timeout, attempts=ATTEMPTS, first_wait=0.01))


def fails(url: str, folder: Path, kind: type[DownloadError] = DownloadError) -> str:
    """Return the message of a download that fails, and leaves the folder unchanged."""
    before = contents(folder)
    with pytest.raises(kind) as caught:
        fetch(url, folder)
    assert type(caught.value) is kind
    assert contents(folder) == before
    return str(caught.value)


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files that are not hidden."""
    paths = folder.iterdir() if folder.exists() else ()
    return {path.name: path.read_bytes() for path in paths if not path.name.startswith(".")}


def hidden(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.name.startswith(".")}


def csv_gz() -> bytes:
    return gzip.compress(CONTENT, compresslevel=1, mtime=0)
