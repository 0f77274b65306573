"""Retries of HTTP requests, and errors that contain neither credentials nor queries.

dlt's own client (`dlt.sources.helpers.requests`) retries as well, but it waits no longer than its maximum where a server
asks for more, counts attempts without regard to progress, and puts the query of the URL into its errors.
"""

import http.client
import logging
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar, cast

import requests
import urllib3
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential,
    wait_random_exponential,
)

from ingestion.retry_policy import RetryPolicy

MAX_WAIT_SECONDS = 60.0
# Other errors of requests, such as an invalid URL or too many redirects, would recur.
TEMPORARY_ERRORS = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    urllib3.exceptions.HTTPError,
)
Result = TypeVar("Result")
MakeError = Callable[[str], Exception]
log = logging.getLogger(__name__)


class RetryableError(Exception):
    """An attempt failed, but another may succeed, after `wait` seconds if the server asks for that."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


def retry(
    step: Callable[[], Result],
    *,
    what: str,
    error: MakeError,
    policy: RetryPolicy,
    progress: Callable[[], int] = lambda: 0,
) -> Result:
    """Repeat a step while it raises RetryableError.

    Args:
        step: one attempt.
        what: the request, as the log may show it.
        error: makes the final error from its reason.
        policy: how often to try, and how long to wait in between.
        progress: the amount of work that is done; an attempt that increases it does not count.
    """
    furthest = progress()
    # One half fixed, one half random, so that clients rejected together do not return together.
    half = {"multiplier": policy.first_wait / 2, "max": MAX_WAIT_SECONDS / 2}
    backoff = wait_exponential(**half) + wait_random_exponential(**half)

    def reset_after_progress(state: RetryCallState) -> None:
        nonlocal furthest
        if (reached := progress()) > furthest:
            furthest, state.attempt_number = reached, 0

    def failure(state: RetryCallState) -> RetryableError:
        return cast(Any, state.outcome).exception()

    def log_retry(state: RetryCallState) -> None:
        log.warning("%s: %s; retry in %.1f s", what, failure(state), state.upcoming_sleep)

    attempts = Retrying(
        retry=retry_if_exception_type(RetryableError),
        stop=stop_after_attempt(policy.attempts),
        wait=lambda state: max(failure(state).wait, backoff(state)),
        after=reset_after_progress,
        before_sleep=log_retry,
        reraise=True,
    )
    try:
        return attempts(step)
    except RetryableError as last:
        reason = f"gave up after {policy.attempts} attempts: {last}"
    raise error(reason)


def send(
    request: Callable[[], requests.Response], error: MakeError, policy: RetryPolicy
) -> requests.Response:
    """Send a request once.

    Raises:
        RetryableError: the connection failed, and another attempt may succeed.
        Exception: what `error` makes, if the request cannot be sent.
    """
    try:
        return request()
    except TEMPORARY_ERRORS as failure:
        problem: Exception = RetryableError(connection_failure(failure, policy.timeout))
    except (requests.RequestException, ValueError) as failure:
        problem = error(f"the request cannot be sent ({type(failure).__name__})")
    # Raised outside the handler: the text of the library's error contains the query.
    raise problem


def check_retryable(response: requests.Response, error: MakeError, reason: str | None = None) -> None:
    """Raise RetryableError for a status after which another attempt may succeed: 429 and 5xx.

    Args:
        response: the response.
        error: makes a final error from its reason.
        reason: what the error says; by default the status.

    Raises:
        RetryableError: for such a status.
        Exception: what `error` makes, if the server asks to wait for too long.
    """
    if response.status_code != 429 and response.status_code < 500:
        return
    reason, wait = reason or status_text(response.status_code), retry_after(response.headers)
    if wait > MAX_WAIT_SECONDS:
        raise error(f"{reason} with Retry-After {wait:.0f} s, which exceeds {MAX_WAIT_SECONDS:.0f} s")
    raise RetryableError(reason, wait)


def status_text(status: int) -> str:
    """Return a status with its name: `HTTP 404 Not Found`."""
    return f"HTTP {status} {http.client.responses.get(status, '')}".strip()


def retry_after(headers: Mapping[str, str]) -> float:
    """Return the seconds of the header Retry-After, a number or a date; 0 without one."""
    text = headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return max((until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds(), 0.0)


def connection_failure(error: BaseException, timeout: float) -> str:
    """Return why a connection failed, from the innermost error: the texts of the outer ones contain the query."""
    inner: BaseException | None = error
    while inner:
        error = inner
        # Not the context, which may be the caller's error.
        wrapped = (error.__cause__, getattr(error, "reason", None), *error.args)
        inner = next((each for each in wrapped if isinstance(each, BaseException)), None)
    if isinstance(error, TimeoutError):
        return f"no response within {timeout:g} s"
    if isinstance(error, http.client.IncompleteRead):
        return "the connection was closed early"
    from_system = isinstance(error, OSError) and not isinstance(error, requests.RequestException)
    return f"{type(error).__name__}: {error}" if from_system else type(error).__name__


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
