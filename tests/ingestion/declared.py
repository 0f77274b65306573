"""Declarations of a test's own, in place of those of a domain, and loads of them."""

import pytest

from ingestion.files.file_resource import FileResource
from ingestion.load import load_domain
from ingestion.results import FilesFailedError
from settings import Settings


def declare(patch: pytest.MonkeyPatch, *resources: FileResource) -> None:
    """Let every domain have these resources and no others."""
    for of in ("resources_of", "file_resources_of", "used_resources_of"):
        patch.setattr(f"ingestion.load.{of}", lambda _: [*resources])


def load(settings: Settings, domain: str = "ecommerce", reload: tuple[str, ...] = ()) -> dict[str, str]:
    """Load a domain: the status of each file, or why it has none."""
    try:
        summary = load_domain(domain, settings, reload=reload)
    except FilesFailedError as error:
        summary = error.summary
    return {result.name: result.reason or result.status for result in summary.results}
