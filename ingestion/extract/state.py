"""How far the source of a resource is read: a hidden file beside the files that were written, for every warehouse the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common.file_lock import FileLockedError, file_lock
from ingestion.files.file_resource import FileResource
from settings import Settings

# How long to wait for another process that reads the source; a first extraction takes a while.
WAIT_SECONDS = 900.0


class ExtractError(RuntimeError):
    """The rows of a source could not be read; the landing folder and the cursor are as before."""


@contextmanager
def locked_state(resource: FileResource, settings: Settings) -> Iterator[Path]:
    """Keep other processes from reading a source until the block ends; give the file of its state.

    Raises:
        ExtractError: another process kept it.
    """
    landing = settings.landing(resource.domain)
    landing.mkdir(parents=True, exist_ok=True)
    file = landing / f".{resource.entity}.state.json"
    try:
        with file_lock(file.with_suffix(".lock"), WAIT_SECONDS):
            yield file
    except FileLockedError as error:
        raise ExtractError(f"another process reads the source of {resource.entity}: {error}") from error
