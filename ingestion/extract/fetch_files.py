"""Fetches the new and changed files of a bucket or an SFTP server into the landing folder, from where they are loaded."""

import json
import time
from collections import Counter
from pathlib import Path

from common.atomic_write import atomic_write
from common.text import printable
from ingestion.extract.remote_folder import ChangedError, Info, RemoteFolder, identity, open_folder
from ingestion.extract.state import ExtractError, locked_state
from ingestion.files.delivery import delivery_name, find_fault, is_delivery
from ingestion.files.file_resource import FileResource
from ingestion.remote_files import LocationError, RemoteFiles
from ingestion.results import LoadResult, Status
from settings import Settings

# The state is written this often: killed in between, a run fetches again what it had fetched, which changes nothing.
STATE_SECONDS = 10.0


def fetch_files(resource: FileResource, settings: Settings) -> list[LoadResult]:
    """Fetch the files of a resource's source that are new or changed; safe to repeat.

    A file that is removed from the source stays, as one that is loaded and removed from the landing folder.

    Returns:
        Each file that was fetched, changed while it was read, or could not be fetched; the source itself if it could not
        be read, or has nothing new.
    """
    source = resource.source
    assert isinstance(source, RemoteFiles)

    def of_source(status: Status, reason: str) -> LoadResult:
        return LoadResult(source.location, resource.entity, status, reason=reason)

    try:
        with locked_state(resource, settings) as state, open_folder(source) as folder:
            listed, errors = folder.list()
            run = _Fetch(resource, source, folder, settings.landing(resource.domain), state)
            results = run.fetch(listed)
    except (LocationError, ExtractError) as error:
        return [of_source("failed", str(error))]
    except Exception as error:
        return [of_source("failed", f"its files cannot be listed: {source.without_password(error)}")]
    results += [
        of_source("failed", f"a folder of it cannot be listed: {source.without_password(error)}")
        for error in errors
    ]
    nothing = "it has no new or changed file" if run.matching else f"it has no file {resource.pattern}"
    return results or [of_source("skipped", nothing)]


class _Fetch:
    """One run over the files of a source."""

    def __init__(
        self, resource: FileResource, source: RemoteFiles, folder: RemoteFolder, landing: Path, state: Path
    ) -> None:
        self._resource = resource
        self._source = source
        self._folder = folder
        self._landing = landing
        self._state = state
        self.matching = 0

    def fetch(self, listed: dict[str, Info]) -> list[LoadResult]:
        """Fetch what is new or changed of the files listed."""
        named = {path: self._landing / self._folder.name_in_landing(path) for path in listed}
        wanted = {
            path: target
            for path, target in sorted(named.items())
            if is_delivery(target) and self._resource.matches(target.name)
        }
        self.matching = len(wanted)
        times = Counter(wanted.values())
        known = self._read_state()
        saved = time.monotonic()
        results = []
        try:
            for path, target in wanted.items():
                version = identity(listed[path])
                if known.get(path) == version and (target.exists() or self._resource.moves_files):
                    continue
                status, reason = self._fetch_file(path, target, listed[path], times[target])
                results.append(self._result(delivery_name(target), status, reason))
                if status == "loaded":
                    known[path] = version
                elif status == "failed" and not self._folder.answers():
                    reason = "it does not answer any more; the next run fetches what is left"
                    results.append(self._result(self._source.location, status, reason))
                    break
                if time.monotonic() - saved >= STATE_SECONDS:
                    self._write_state(known)
                    saved = time.monotonic()
        finally:
            self._write_state(known)
        return results

    def _result(self, name: str, status: Status, reason: str | None) -> LoadResult:
        return LoadResult(name, self._resource.entity, status, reason=reason)

    def _fetch_file(self, path: str, target: Path, info: Info, times: int) -> tuple[Status, str | None]:
        """Fetch a file; return its status, and why it is not fetched."""
        shown = f"{printable(self._folder.relative(path))} of {self._source.location}"
        if times > 1:
            return "failed", f"{shown}: {times} files have this name in landing; rename them"
        if info.get("type") != "file":
            return "failed", f"{shown}: it is a link and not a file; deliver the file itself"
        if fault := find_fault(target):
            return "failed", f"{shown}: {fault}"
        try:
            with atomic_write(target) as part:
                self._folder.fetch(path, part)
        except ChangedError:
            return "deferred", f"{shown}: it changed while it was read; the next run fetches it"
        except Exception as error:
            said = self._source.without_password(error).replace(f"{self._landing}/", "")
            return "failed", f"{shown} cannot be fetched: {said}"
        return "loaded", None

    def _read_state(self) -> dict[str, str]:
        """Return the version of each file that was fetched."""
        try:
            return json.loads(self._state.read_text())
        except FileNotFoundError:
            return {}

    def _write_state(self, known: dict[str, str]) -> None:
        with atomic_write(self._state) as new:
            new.write_text(json.dumps(known))
