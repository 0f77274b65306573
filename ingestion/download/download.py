"""Downloads a file into a folder: the whole file or nothing, whatever interrupts the transfer."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import requests
import urllib3

from ingestion.download.file_checks import find_fault, format_fault, has_checked_format
from ingestion.download.file_request import DownloadError, FileRequest, NotYetAvailableError
from ingestion.download.remote_file import RemoteFile
from ingestion.download.resumable_download import ResumableDownload
from ingestion.http import RetryableError, connection_failure, retry
from ingestion.retry_policy import RetryPolicy

__all__ = ["Download", "DownloadError", "NotYetAvailableError", "download"]

BLOCK_BYTES = 256 * 1024
DEFAULT_POLICY = RetryPolicy()


@dataclass(frozen=True)
class Download:
    """The result of a download: `downloaded`, `unchanged`, or `kept` without a request."""

    path: Path
    status: str
    bytes: int


def download(url: str, folder: Path, policy: RetryPolicy = DEFAULT_POLICY) -> Download:
    """Download a file into a folder, under the last name of the URL's path.

    Until the file is complete and checked, it is hidden, and the next call resumes it, also after a kill. An unchanged
    file is not downloaded again, a changed one is replaced. A second process that downloads the same file waits.

    Args:
        url: an `http` or `https` URL; `user:password@` is used for basic authentication.
        folder: the folder, which is created if needed.
        policy: when to retry; only an attempt that brings no new byte counts.

    Raises:
        NotYetAvailableError: the server has no such file.
        DownloadError: the file cannot be downloaded, or is not what the server announced.
        OSError: the folder cannot be written.
    """
    with requests.Session() as session:
        request = FileRequest(session, url, policy)
        folder.mkdir(parents=True, exist_ok=True)
        with ResumableDownload.open(folder / request.name) as part:
            attempts = partial(
                retry, what=request.shown, error=request.error, policy=policy, progress=lambda: part.size
            )
            status = "unchanged"
            if not (part.target.exists() and attempts(lambda: _is_unchanged(request, part, request.head()))):
                attempts(lambda: _fetch(request, part))
                status = "downloaded"
            return Download(part.target, status, part.target.stat().st_size)


def has_changed(url: str, folder: Path, policy: RetryPolicy = DEFAULT_POLICY) -> bool:
    """Whether the server has another version of a file in the folder; False if the server does not say.

    Raises:
        DownloadError: the server does not respond.
    """
    with requests.Session() as session:
        request = FileRequest(session, url, policy)
        with ResumableDownload.open(folder / request.name) as part:

            def look() -> bool:
                response = request.head()
                return response is not None and not _is_unchanged(request, part, response)

            return retry(look, what=request.shown, error=request.error, policy=policy)


def _is_unchanged(request: FileRequest, part: ResumableDownload, response: requests.Response | None) -> bool:
    """Whether the file in the folder is complete and the server's; False also if that cannot be known."""
    if response is None:
        return False
    remote, known = RemoteFile.from_headers(request.shown, response.headers), part.source
    size = part.target.stat().st_size
    if remote.bytes not in (None, size) or (known and known.url != remote.url):
        return False
    same = known.same_version(remote) if known else None
    if same is None:
        # Without a version, by size and format.
        same = remote.bytes == size and not format_fault(part.target, part.target.name)
    elif known and known.bytes != size:
        return False
    if same:
        part.clear()  # bytes of a version that the server no longer has
        if not known:
            part.write_source(replace(remote, bytes=size))
    return same


def _fetch(request: FileRequest, part: ResumableDownload) -> None:
    """Receive the missing bytes, check the file and move it into the folder: one attempt."""
    response, remote = _request_rest(request, part)
    with response:
        encoding = response.headers.get("Content-Encoding", "").lower()
        # A gzip file is often labelled as encoded; anything else labelled so is other bytes.
        if encoding not in ("", "identity") and not has_checked_format(request.name):
            raise request.error(f"the server sends Content-Encoding {encoding} to a request for identity")
        _receive(request, response, part, remote)
    if fault := find_fault(part.path, request.name, remote):
        part.clear()
        raise RetryableError(f"the received file is invalid: {fault}")
    part.commit(remote)


def _request_rest(request: FileRequest, part: ResumableDownload) -> tuple[requests.Response, RemoteFile]:
    """Return the response with the rest of the file (206), or with all of it (200), and what it says about the file."""
    response = None
    known = part.remote
    if part.size and known and known.validator and known.url == request.shown:
        if part.size == known.bytes:
            part.drop_last_byte()  # no server sends a rest of 0 bytes, and the version must be confirmed
        headers = {"Range": f"bytes={part.size}-", "If-Range": known.validator}
        response = request.get(200, 206, 416, **headers)
        remote = known.continued(response.headers, part.size)
        if response.status_code == 206 and remote:
            return response, remote
        if response.status_code != 200:
            response.close()
            response = None
    # Nothing to resume, or the bytes belong to another version.
    part.clear()
    response = response or request.get(200)
    remote = RemoteFile.from_headers(request.shown, response.headers)
    part.begin(remote)
    return response, remote


def _receive(
    request: FileRequest, response: requests.Response, part: ResumableDownload, remote: RemoteFile
) -> None:
    """Append the body of a response, as it comes off the wire."""
    problem = None
    try:
        # Not decoded, and not in full blocks: what came before a stall is kept.
        while data := response.raw.read1(BLOCK_BYTES, decode_content=False):
            part.append(data)
    except urllib3.exceptions.HTTPError as error:
        problem = connection_failure(error, request.policy.timeout)
    total = remote.bytes
    if problem or part.size < (total or 0):
        of_total = "" if total is None else f" of {total}"
        raise RetryableError(f"{problem or 'the response ended'} after {part.size}{of_total} bytes")
    is_checked = response.raw.chunked or remote.checksums or has_checked_format(request.name)
    if total is None and not is_checked:
        part.clear()
        raise request.error("the server sends neither a length nor a checksum, so the file may be incomplete")
