"""Fetches a file over HTTP into a folder: the whole file or nothing, whatever happens on the way."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import requests
import urllib3

from ingestion.download.file_checks import find_fault, form_fault, has_form
from ingestion.download.remote_file import RemoteFile
from ingestion.download.resumable_download import ResumableDownload
from ingestion.download.retry import RetryableError, retry
from ingestion.download.web_source import DownloadError, NotYetAvailableError, WebSource

__all__ = ["Download", "DownloadError", "NotYetAvailableError", "download"]

BLOCK_BYTES = 256 * 1024
Result = TypeVar("Result")


@dataclass(frozen=True)
class Download:
    """What became of a download: the file, `downloaded` or `unchanged`, and its size."""

    path: Path
    status: str
    bytes: int


def download(
    url: str, folder: Path, *, timeout: float = 30.0, tries: int = 6, first_wait: float = 1.0
) -> Download:
    """Fetch a file into a folder, under the last name of the URL's path.

    Until it is whole and checked, it is in a hidden file, from which the next call goes on, also
    after a kill. A file that is there and unchanged is not fetched again; a changed one is
    replaced. A second process that wants the same file waits for the first.

    Args:
        url: an `http` or `https` URL; `user:password@` is used for basic authentication.
        folder: where to put the file; made if it is not there.
        timeout: seconds without a byte after which a connection is given up.
        tries: how many tries in a row may bring nothing that was not here before.
        first_wait: seconds before the second of these tries; they double from try to try.

    Raises:
        NotYetAvailableError: the server has no such file.
        DownloadError: it cannot be fetched, or what comes is not the file.
        OSError: the folder cannot be written.
    """
    with requests.Session() as session:
        source = WebSource(session, url, timeout)
        folder.mkdir(parents=True, exist_ok=True)
        with ResumableDownload.open(folder / source.name) as part:
            patience = (source, part, tries, first_wait)
            status = "unchanged"
            if not _until_done(_is_unchanged, *patience):
                _until_done(_fetch, *patience)
                status = "downloaded"
            return Download(part.target, status, part.target.stat().st_size)


def _until_done(
    step: Callable[[WebSource, ResumableDownload], Result],
    source: WebSource,
    part: ResumableDownload,
    tries: int,
    first_wait: float,
) -> Result:
    """Repeat a step until it succeeds; only bytes beyond all that were ever here count as progress."""
    return retry(
        lambda: step(source, part),
        what=source.shown,
        error=source.error,
        tries=tries,
        first_wait=first_wait,
        progress=lambda: part.size,
    )


def _is_unchanged(source: WebSource, part: ResumableDownload) -> bool:
    """Whether the file in place is whole and the server's; False also if that cannot be known."""
    if not part.target.exists():
        return False
    response = source.head()
    if response is None:
        return False
    served = RemoteFile.described(source.shown, response.headers)
    if not _is(part, served):
        return False
    part.clear()  # bytes of a version that is not the server's any more
    if not part.source:
        part.remember(replace(served, bytes=part.target.stat().st_size))
    return True


def _is(part: ResumableDownload, served: RemoteFile) -> bool:
    """Whether the file in place is what the server has: by its version, else by size and form."""
    size, known = part.target.stat().st_size, part.source
    if served.bytes not in (None, size) or (known and known.url != served.url):
        return False
    same = known.same_version(served) if known else None
    if same is None:
        return served.bytes == size and not form_fault(part.target, part.target.name)
    return same and known.bytes == size


def _fetch(source: WebSource, part: ResumableDownload) -> None:
    """Receive what is missing, check the whole and put it in place: one try."""
    with _answer(source, part) as response:
        encoding = response.headers.get("Content-Encoding", "").lower()
        # A file that is a gzip is often labelled so; anything else labelled so is other bytes.
        if encoding not in ("", "identity") and not has_form(source.name):
            raise source.error(f"the server sends it encoded ({encoding}) though asked not to")
        if response.status_code == 200:
            part.begin(RemoteFile.described(source.shown, response.headers))
        _receive(source, response, part)
    if fault := find_fault(part.path, source.name, part.served):
        part.clear()
        raise RetryableError(f"what came is not the file: {fault}")
    part.put_in_place()


def _answer(source: WebSource, part: ResumableDownload) -> requests.Response:
    """The answer with the rest of the file (206), or with all of it (200)."""
    known = part.served
    if part.size and known and known.validator and known.url == source.shown:
        if part.size == known.bytes:
            part.shorten()  # no server gives a rest of 0 bytes, and its version is to be confirmed
        headers = {"Range": f"bytes={part.size}-", "If-Range": known.validator}
        response = source.get(200, 206, 416, **headers)
        if response.status_code == 200:
            return response
        part.served = known.continued(response.headers, part.size)
        if response.status_code == 206 and part.served:
            return response
        response.close()
    # Nothing to go on from, or what is here is of another version.
    part.clear()
    return source.get(200)


def _receive(source: WebSource, response: requests.Response, part: ResumableDownload) -> None:
    """Add the body of an answer to the bytes that are here, as it comes off the wire."""
    problem = None
    try:
        # Not decoded, and not in full blocks: what came before a stall is kept.
        while data := response.raw.read1(BLOCK_BYTES, decode_content=False):
            part.append(data)
    except urllib3.exceptions.HTTPError as error:
        problem = source.reason(error)
    total = part.served.bytes
    if problem or part.size < (total or 0):
        of_total = "" if total is None else f" of {total}"
        raise RetryableError(f"{problem or 'the answer ended'} after {part.size}{of_total} bytes")
    if total is None and not (response.raw.chunked or part.served.checksums or has_form(source.name)):
        part.clear()
        raise source.error("the server sends neither its length nor a checksum: nothing proves it whole")
