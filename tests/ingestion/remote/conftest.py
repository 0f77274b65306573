"""A shop whose invoices are in a bucket or on a server."""

from collections.abc import Callable

import pytest

from ingestion.files.file_resource import FileResource
from ingestion.remote_files import RemoteFiles
from settings import Settings
from tests.ingestion.declared import declare, load

URL = "SLUICE_SHOP_FILES_URL"

# Loads the invoices: the status of each file, or why it is none.
Load = Callable[[], dict[str, str]]


def invoices(**options: object) -> FileResource:
    """Invoices that are fetched from the location that the variable names."""
    return FileResource(
        domain="ecommerce",
        entity="invoices",
        columns=("id", "amount"),
        pattern="*invoices*",
        source=RemoteFiles(URL),
        **options,
    )


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Load:
    """Declares the invoices, and returns what loads them."""
    declare(monkeypatch, invoices())
    return lambda: load(settings)
