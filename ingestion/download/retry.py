"""Which failures of a request may pass, how long to wait before another try, and messages without secrets."""

import http.client
import logging
import random
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import requests
import urllib3

MAX_WAIT_SECONDS = 60.0
# Errors of requests after which another try may succeed; others (a bad URL, too many redirects) would recur.
PASSING = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    urllib3.exceptions.HTTPError,
)
Result = TypeVar("Result")
log = logging.getLogger(__name__)


class RetryableError(Exception):
    """A try failed, but another may succeed; `wait` is the pause that the server asked for, in seconds."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


def retry(
    step: Callable[[], Result],
    *,
    what: str,
    error: Callable[[str], Exception],
    tries: int,
    first_wait: float,
    progress: Callable[[], int] = lambda: 0,
) -> Result:
    """Repeat a step until it succeeds.

    Args:
        step: one try; it raises RetryableError if another may succeed.
        what: what is requested, as the log may show it.
        error: makes the error for a final failure from its reason.
        tries: how many tries in a row may fail without progress.
        first_wait: seconds before the second of these tries; they double from try to try.
        progress: how far the work has come; a value above all earlier ones starts the count of tries anew.

    Raises:
        Exception: what `error` makes, after that many tries without progress.
    """
    furthest, failures = progress(), 0
    while True:
        try:
            return step()
        except RetryableError as problem:
            reason, asked = str(problem), problem.wait
        reached = progress()
        failures = 0 if reached > furthest else failures + 1
        furthest = max(furthest, reached)
        if failures >= tries:
            raise error(f"{tries} tries without progress, at last: {reason}")
        growing = min(first_wait * 2 ** max(failures - 1, 0), MAX_WAIT_SECONDS)
        # Jitter, so that clients that were turned away together do not come back together.
        wait = max(asked, growing * random.uniform(0.5, 1.0))
        log.warning("%s: %s; again in %.1f s", what, reason, wait)
        time.sleep(wait)


def check_passing(response: requests.Response, error: Callable[[str], Exception]) -> None:
    """Raise an error for a status after which another try may succeed: 429 and 5xx.

    Raises:
        RetryableError: it is such a status.
        Exception: what `error` makes; it is such a status, and the server asks to wait for too long.
    """
    status = response.status_code
    if status != 429 and status < 500:
        return
    wait = asked_wait(response.headers.get("Retry-After", ""))
    reason = f"the server answered {in_words(status)}"
    if wait > MAX_WAIT_SECONDS:
        raise error(f"{reason} and asks to wait for {wait:.0f} s, over {MAX_WAIT_SECONDS:.0f} s")
    raise RetryableError(reason, wait)


def in_words(status: int) -> str:
    """A status with its name: `404 Not Found`."""
    return f"{status} {http.client.responses.get(status, '')}".strip()


def reason_of(error: BaseException, timeout: float) -> str:
    """Why a connection failed, by the innermost error; the texts of the outer ones repeat the query.

    Args:
        error: the error of requests or urllib3.
        timeout: seconds after which a connection is given up.
    """
    while inner := _inner(error):
        error = inner
    if isinstance(error, TimeoutError):
        return f"no answer within {timeout:g} s"
    if isinstance(error, http.client.IncompleteRead):
        return "the connection was cut"
    of_the_system = isinstance(error, OSError) and not isinstance(error, requests.RequestException)
    return f"{type(error).__name__}: {error}" if of_the_system else type(error).__name__


def _inner(error: BaseException) -> BaseException | None:
    """The error that an error of requests or urllib3 wraps; not its context, which may be the caller's."""
    candidates = (error.__cause__, getattr(error, "reason", None), *error.args)
    return next((each for each in candidates if isinstance(each, BaseException)), None)


def asked_wait(retry_after: str) -> float:
    """The seconds that a server asks to wait, by a number or a date; 0 if it asks for none."""
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    return max((until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds(), 0.0)


def _hide_queries(record: logging.LogRecord) -> bool:
    """Remove the query, which may hold secrets, from every URL in a log record of urllib3."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            re.sub(r"\?\S*", "?...", argument) if isinstance(argument, str) else argument
            for argument in record.args
        )
    return True


for _module in ("connection", "connectionpool"):
    logging.getLogger(f"urllib3.{_module}").addFilter(_hide_queries)
