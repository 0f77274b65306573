"""The requests for one file of a web server: which failures pass, and messages without secrets."""

import re
from urllib.parse import unquote, urlsplit

import requests

from ingestion.download.retry import PASSING, RetryableError, check_passing, in_words, reason_of

# The names of the hidden files beside it are longer by 13 bytes, and 255 is the most that file systems take.
MAX_NAME_BYTES = 240


class DownloadError(RuntimeError):
    """The file could not be fetched; nothing new is in the folder.

    The message has the URL without its query and credentials, and the last reason.
    """


class NotYetAvailableError(DownloadError):
    """The server has no such file (404)."""


class WebSource:
    """A file on a web server.

    Args:
        session: what the requests are made with.
        url: where the file is, with credentials and query.
        timeout: seconds without a byte after which a connection is given up.

    Attributes:
        shown: the URL without credentials and query.
        name: the last part of its path.

    Raises:
        DownloadError: the URL is not that of a file.
    """

    def __init__(self, session: requests.Session, url: str, timeout: float) -> None:
        self.shown, self.name = _parsed(url)
        self._session = session
        self._url = url
        self._timeout = timeout

    def head(self) -> requests.Response | None:
        """The answer to HEAD; None if the server does not answer HEAD for this file.

        Raises:
            RetryableError: it may answer another time.
            DownloadError: it asks to wait for too long.
        """
        with self._ask("HEAD") as response:
            if response.status_code != 501:
                check_passing(response, self.error)
            return response if response.status_code == 200 else None

    def get(self, *expected: int, **headers: str) -> requests.Response:
        """The answer to GET, its body not read yet; the caller closes it.

        Args:
            expected: the statuses that the caller knows what to do with.
            headers: of the request, besides those that all have.

        Raises:
            RetryableError: it may work another time.
            NotYetAvailableError: the server has no such file.
            DownloadError: any other status.
        """
        response = self._ask("GET", **headers)
        status = response.status_code
        if status in expected:
            return response
        response.close()
        check_passing(response, self.error)
        if status == 404:
            raise NotYetAvailableError(f"{self.shown}: the server has no such file (404)")
        raise self.error(f"the server answered {in_words(status)}")

    def error(self, reason: str) -> DownloadError:
        """An error that no further try would mend."""
        return DownloadError(f"{self.shown}: {reason}")

    def reason(self, error: BaseException) -> str:
        """Why a connection failed."""
        return reason_of(error, self._timeout)

    def _ask(self, method: str, **headers: str) -> requests.Response:
        # One file, one connection a try: no connection is trusted after a server got its lengths wrong.
        headers |= {"Accept-Encoding": "identity", "Connection": "close"}
        try:
            return self._session.request(
                method, self._url, headers=headers, stream=True, timeout=self._timeout
            )
        except PASSING as error:
            problem = RetryableError(self.reason(error))
        except (requests.RequestException, ValueError) as error:
            problem = self.error(f"it cannot be asked for ({type(error).__name__})")
        # Out here it has no context: the text of the library's error has the query.
        raise problem


def _parsed(url: str) -> tuple[str, str]:
    """A URL without its secrets, and the name of its file."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, f":{parts.port}" if parts.port else ""
        address = f"[{host}]" if ":" in (host or "") else host
    except ValueError:
        parts = None
    if not parts or not host:
        # Which of its parts is a password cannot be known: none is shown.
        raise DownloadError("the URL cannot be split into its parts; is a password in it percent-encoded?")
    shown = f"{parts.scheme}://{address}{port}{parts.path}"
    if parts.scheme not in ("http", "https"):
        raise DownloadError(f"{shown}: only http and https can be fetched")
    name = unquote(parts.path.rpartition("/")[2])
    if not name.isprintable() or not re.fullmatch(r"[^./\\][^/\\]*", name):
        raise DownloadError(f"{shown}: it does not end in the name of a file")
    if len(name.encode()) > MAX_NAME_BYTES:
        raise DownloadError(f"{shown}: the name of the file is longer than {MAX_NAME_BYTES} bytes")
    return shown, name
