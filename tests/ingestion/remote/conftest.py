"""A shop whose invoices are in a bucket or on a server."""

from collections.abc import Callable

import pytest

from ingestion.files.file_resource import FileResource
from ingestion.load import load_domain
from ingestion.remote_files import RemoteFiles
from ingestion.results import FilesFailedError
from settings import Settings

URL = "SLUICE_SHOP_FILES_URL"

# Loads the invoices: the status of each file, or why it is none.
Load = Callable[[], dict[str, str]]


def declare(patch: pytest.MonkeyPatch, *resources: FileResource) -> None:
    """Let the domain `ecommerce` have these resources and no others."""
    for of in ("resources_of", "file_resources_of", "used_resources_of"):
        patch.setattr(f"ingestion.load.{of}", lambda _: [*resources])


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


def load(settings: Settings) -> dict[str, str]:
    try:
        summary = load_domain("ecommerce", settings)
    except FilesFailedError as error:
        summary = error.summary
    return {result.name: result.reason or result.status for result in summary.results}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Load:
    """Declares the invoices, and returns what loads them."""
    declare(monkeypatch, invoices())
    return lambda: load(settings)
