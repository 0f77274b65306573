"""Requests for one file of a web server."""

import re
from typing import Any
from urllib.parse import unquote, urlsplit

import requests

from ingestion.http import check_retryable, send, status_text
from ingestion.retry_policy import RetryPolicy

# The names of the hidden files beside it are longer by 13 bytes; file systems allow 255.
MAX_NAME_BYTES = 240


class DownloadError(RuntimeError):
    """The file could not be downloaded; nothing new is in the folder.

    The message has the URL without its query and credentials, and the last reason.
    """


class NotYetAvailableError(DownloadError):
    """The server has no such file (404), or not yet: some servers say 403 until it is published."""


class FileRequest:
    """A file on a web server.

    Args:
        session: sends the requests.
        url: the address of the file, with credentials and query.
        policy: its timeout.

    Attributes:
        shown: the URL without credentials and query.
        name: the last part of its path.

    Raises:
        DownloadError: the URL is not that of a file.
    """

    def __init__(self, session: requests.Session, url: str, policy: RetryPolicy) -> None:
        self.shown, self.name = _parse(url)
        self._session = session
        self._url = url
        self.policy = policy

    def head(self) -> requests.Response | None:
        """Return the response to HEAD; None if the server does not support HEAD for this file."""
        with self._send("HEAD") as response:
            if response.status_code != 501:
                check_retryable(response, self.error)
            return response if response.status_code == 200 else None

    def get(self, *expected: int, **headers: str) -> requests.Response:
        """Return the response to GET, with an unread body, for the caller to close.

        Raises:
            RetryableError: another attempt may succeed.
            NotYetAvailableError: the server has no such file (404, 403).
            DownloadError: the status is not one of `expected`.
        """
        response = self._send("GET", **headers)
        if response.status_code in expected:
            return response
        response.close()
        check_retryable(response, self.error)
        reason = status_text(response.status_code)
        raise (
            NotYetAvailableError(f"{self.shown}: {reason}")
            if response.status_code in (403, 404)
            else self.error(reason)
        )

    def error(self, reason: str) -> DownloadError:
        """Return an error that no further attempt would avoid."""
        return DownloadError(f"{self.shown}: {reason}")

    def _send(self, method: str, **headers: str) -> requests.Response:
        # One connection per attempt: it is not reused after a server sent a wrong length.
        headers |= {"Accept-Encoding": "identity", "Connection": "close"}
        options: dict[str, Any] = {"headers": headers, "stream": True, "timeout": self.policy.timeout}
        return send(lambda: self._session.request(method, self._url, **options), self.error, self.policy)


def _parse(url: str) -> tuple[str, str]:
    """Return a URL without its secrets, and the name of its file."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, f":{parts.port}" if parts.port else ""
    except ValueError:
        host = None
    if not host:
        # No part is shown, because any of them may be the password.
        raise DownloadError("the URL is invalid; is a password in it percent-encoded?")
    address = f"[{host}]" if ":" in host else host
    shown = f"{parts.scheme}://{address}{port}{parts.path}"
    name = unquote(parts.path.rpartition("/")[2])
    if parts.scheme not in ("http", "https"):
        raise DownloadError(f"{shown}: the URL must begin with http:// or https://")
    if not name.isprintable() or not re.fullmatch(r"[^./\\][^/\\]*", name):
        raise DownloadError(f"{shown}: the URL does not end in a file name")
    if len(name.encode()) > MAX_NAME_BYTES:
        raise DownloadError(f"{shown}: the file name is longer than {MAX_NAME_BYTES} bytes")
    return shown, name
