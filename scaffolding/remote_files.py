"""Files of a bucket or an SFTP server as the source of a new domain: some are fetched and profiled, all are declared."""

import os
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from ingestion.extract.remote_folder import open_folder
from ingestion.file_format import form_of_name
from ingestion.files.delivery import is_delivery, order_of
from ingestion.remote_files import LocationError, RemoteFiles
from scaffolding.errors import ScaffoldingError
from scaffolding.model import Domain
from scaffolding.names import entity_of

# Of files whose names differ in numbers only, the last ones.
SAMPLES = 5


def is_location(text: str) -> bool:
    """Whether a text is a URL, or names an environment variable with one."""
    return "://" in text or "://" in os.environ.get(text, "")


def fetch_samples(location: str, folder: Path) -> dict[str, str]:
    """Fetch some files of each kind, and return the location of the declaration for each of them.

    Args:
        location: the URL of a folder, perhaps with a pattern of file names at its end, or a variable with a URL.
        folder: where to write them.

    Raises:
        ScaffoldingError: the files cannot be read, or there are none.
    """
    parent, _, pattern = location.rpartition("/")
    if "://" not in location or not ({*"*?["} & {*pattern} or form_of_name(pattern)):
        parent, pattern = location, "*"
    try:
        source = RemoteFiles(parent)
        return dict.fromkeys(map(str, _fetch(source, pattern, folder)), parent)
    except (LocationError, ValueError) as error:
        raise ScaffoldingError(str(error)) from None
    except Exception as error:
        raise ScaffoldingError(f"{parent} cannot be read: {source.without_password(error)}") from None


def _fetch(source: RemoteFiles, pattern: str, folder: Path) -> list[Path]:
    with open_folder(source) as remote:
        listed, errors = remote.list()
        if errors:
            raise errors[0]
        kinds: dict[str, list[tuple[Path, str]]] = {}
        for path in listed:
            target = folder / remote.name_in_landing(path)
            if is_delivery(target) and form_of_name(target.name) and fnmatchcase(target.name, pattern):
                kinds.setdefault(entity_of(target), []).append((target, path))
        if not kinds:
            raise ScaffoldingError(f"{source.location} has no file {pattern} in a form that is taken")
        chosen = [
            each
            for kind in kinds.values()
            for each in sorted(kind, key=lambda found: order_of(found[0].name))[-SAMPLES:]
        ]
        for target, path in chosen:
            remote.fetch(path, target)
        return [target for target, _ in chosen]


def declare_locations(domain: Domain, locations: Mapping[str, str]) -> None:
    """Declare the locations of the fetched samples as the sources of their entities."""
    for entity in domain.entities:
        found = {locations[str(path)] for path in entity.files if str(path) in locations}
        if not found:
            continue
        if len(found) > 1:
            raise ScaffoldingError(f"the files of {entity.name!r} are in {' and '.join(sorted(found))}")
        (location,) = found
        entity.source = f"RemoteFiles({location!r})"
        domain.doubts.append(
            f"`{entity.name}` is fetched from {location}, files {entity.pattern}; {len(entity.files)} of them were read"
        )
