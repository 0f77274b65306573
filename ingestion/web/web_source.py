"""The requests for one file of a web server: which failures pass, and messages without secrets."""

import http.client
import logging
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import unquote, urlsplit

import requests
import urllib3

MAX_WAIT_SECONDS = 60.0
# The names of the hidden files beside it are longer by 13 bytes, and 255 is the most that file systems take.
MAX_NAME_BYTES = 240
# Of what requests raises; the rest (a bad URL, too many redirects) is the same at the next try.
PASSING = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    urllib3.exceptions.HTTPError,
)


class DownloadError(RuntimeError):
    """The file could not be fetched; nothing new is in the folder.

    The message has the URL without its query and credentials, and the last reason.
    """


class NotOutYetError(DownloadError):
    """The server has no such file (404)."""


class TryAgainError(Exception):
    """A try failed and another may not; `wait` is what the server asked for, in seconds."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


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
            TryAgainError: it may answer another time.
            DownloadError: it asks to wait for too long.
        """
        with self._ask("HEAD") as response:
            if response.status_code != 501:
                self._check_passing(response)
            return response if response.status_code == 200 else None

    def get(self, *expected: int, **headers: str) -> requests.Response:
        """The answer to GET, its body not read yet; the caller closes it.

        Args:
            expected: the statuses that the caller knows what to do with.
            headers: of the request, besides those that all have.

        Raises:
            TryAgainError: it may work another time.
            NotOutYetError: the server has no such file.
            DownloadError: any other status.
        """
        response = self._ask("GET", **headers)
        status = response.status_code
        if status in expected:
            return response
        response.close()
        self._check_passing(response)
        if status == 404:
            raise NotOutYetError(f"{self.shown}: the server has no such file (404)")
        raise self.error(f"the server answered {_in_words(status)}")

    def error(self, reason: str) -> DownloadError:
        """An error that no further try would mend."""
        return DownloadError(f"{self.shown}: {reason}")

    def reason(self, error: BaseException) -> str:
        """Why a connection failed, by the innermost error; the text of the outer ones has the query."""
        while inner := _inner(error):
            error = inner
        if isinstance(error, TimeoutError):
            return f"no answer within {self._timeout:g} s"
        if isinstance(error, http.client.IncompleteRead):
            return "the connection was cut"
        of_the_system = isinstance(error, OSError) and not isinstance(error, requests.RequestException)
        return f"{type(error).__name__}: {error}" if of_the_system else type(error).__name__

    def _ask(self, method: str, **headers: str) -> requests.Response:
        # One file, one connection a try: no connection is trusted after a server got its lengths wrong.
        headers |= {"Accept-Encoding": "identity", "Connection": "close"}
        try:
            return self._session.request(
                method, self._url, headers=headers, stream=True, timeout=self._timeout
            )
        except PASSING as error:
            problem = TryAgainError(self.reason(error))
        except (requests.RequestException, ValueError) as error:
            problem = self.error(f"it cannot be asked for ({type(error).__name__})")
        # Out here it has no context: the text of the library's error has the query.
        raise problem

    def _check_passing(self, response: requests.Response) -> None:
        status = response.status_code
        if status != 429 and status < 500:
            return
        wait = _asked_wait(response.headers.get("Retry-After", ""))
        reason = f"the server answered {_in_words(status)}"
        if wait > MAX_WAIT_SECONDS:
            raise self.error(f"{reason} and asks to wait for {wait:.0f} s, over {MAX_WAIT_SECONDS:.0f} s")
        raise TryAgainError(reason, wait)


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


def _inner(error: BaseException) -> BaseException | None:
    """The error that an error of requests or urllib3 wraps; not its context, which may be the caller's."""
    candidates = (error.__cause__, getattr(error, "reason", None), *error.args)
    return next((each for each in candidates if isinstance(each, BaseException)), None)


def _in_words(status: int) -> str:
    return f"{status} {http.client.responses.get(status, '')}".strip()


def _asked_wait(retry_after: str) -> float:
    """Seconds that a server asks to wait, given in seconds or as a date; 0 if it does not ask."""
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    return max((until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds(), 0.0)


def _hide_queries(record: logging.LogRecord) -> bool:
    """Cut the query off every URL in a record of urllib3, which would write it into the log."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            re.sub(r"\?\S*", "?...", argument) if isinstance(argument, str) else argument
            for argument in record.args
        )
    return True


for _module in ("connection", "connectionpool"):
    logging.getLogger(f"urllib3.{_module}").addFilter(_hide_queries)
