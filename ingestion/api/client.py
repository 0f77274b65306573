"""dlt's REST client with retries, request budgets and errors that contain no secret."""

import io
import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import requests
import urllib3
from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.auth import AuthConfigBase
from dlt.sources.helpers.rest_client.client import PageData
from dlt.sources.helpers.rest_client.paginators import BasePaginator
from requests import Response

from ingestion.api.errors import PartialReadError, QuotaExceededError, SourceApiError, Unread
from ingestion.api.settings import ApiLimits, ApiSettings
from ingestion.http import MAX_WAIT_SECONDS, check_retryable, retry, retry_after, send, status_text
from ingestion.json_records import ExactNumber
from ingestion.retry_policy import RetryPolicy

# Characters of the server's own explanation that an error repeats.
MAX_EXPLANATION = 200
BLOCK_BYTES = 64 * 1024
# A server that refuses a request this often in a row because of their number (429) is left alone until the next load.
MAX_REFUSALS = 3


class ApiClient(RESTClient):
    """An API whose responses are JSON objects with a list of records in one field, or such lists.

    Args:
        api: its address and secret.
        auth: how requests carry the secret.
        data_selector: the field with the records; `$` if the response is the list.
        policy: when to retry a request.
        before_attempt: called before each attempt; an exception that it raises ends the reading.

    Raises:
        SourceApiError: the address is not set.
    """

    def __init__(
        self,
        api: ApiSettings,
        auth: AuthConfigBase | None,
        data_selector: str,
        policy: RetryPolicy,
        before_attempt: Callable[[], None] = lambda: None,
    ) -> None:
        if not api.api_url:
            raise SourceApiError(f"{api.url_variable} is not set; `sluice samples serve` starts sample APIs")
        self.api = api
        session = _RetrySession(self, policy, before_attempt)
        super().__init__(api.api_url, auth=auth, data_selector=data_selector, session=session)

    def pages(
        self, path: str, paginator: BasePaginator, params: Mapping[str, Any] | None = None
    ) -> Iterator[PageData[Any]]:
        """Yield pages of records; without dlt's check of the status, whose error contains the whole URL."""
        hooks: dict[str, Any] = {"response": []}
        return self.paginate(path, params=dict(params or {}), paginator=paginator, hooks=hooks)

    def pages_within_quota(
        self, path: str, paginator: BasePaginator, rest: Callable[[], tuple[str | None, Unread]]
    ) -> Iterator[PageData[Any]]:
        """Yield the pages that may be read.

        Args:
            path: what to read.
            paginator: the order of the pages.
            rest: returns up to which time the pages were read, and where the next reading goes on.

        Raises:
            SourceApiError: a page cannot be read.
            PartialReadError: after the last page, if no further request is allowed.
        """
        has_read = False
        try:
            for page in self.pages(path, paginator):
                yield page
                has_read = True
        except QuotaExceededError as error:
            if not has_read:
                raise
            reached, unread = rest()
            raise PartialReadError(
                f"changes since {reached or 'the first one'} were not read: {error}", unread
            ) from None

    def extract_response(self, response: Response, data_selector: Any) -> list[Any]:
        """Return the records of a response; it is an error if the field has no list."""
        if str(data_selector) == "$":
            return self._parse(response, list, "not a JSON array")
        body = self.body(response)
        records = body.get(str(data_selector))
        if not isinstance(records, list):
            words = _words(body)
            reason = f" ({': '.join(words.values())})" if words else ""
            raise self.error(response.url, f"invalid response: no list {data_selector!r}{reason}")
        return records

    def body(self, response: Response) -> dict[str, Any]:
        """Return the JSON object of a response, with numbers exactly as they were written."""
        return self._parse(response, dict, "not a JSON object")

    def _parse(self, response: Response, kind: type, reason: str) -> Any:
        try:
            body = json.loads(response.content, parse_float=ExactNumber, parse_constant=_reject_constant)
        except (ValueError, RecursionError) as error:
            body, reason = None, f"not JSON, {_describe(error)}"
        if not isinstance(body, kind):
            # Raised outside the handler: the text of the library's error contains the whole response.
            raise self.error(response.url, f"invalid response: {reason}")
        return body

    def error(self, url: str, reason: str, code: str | None = None) -> SourceApiError:
        """Return an error with the URL, but without its query and the secret."""
        return SourceApiError(self._message(url, reason), code)

    def quota_error(self, url: str, reason: str) -> QuotaExceededError:
        """Return the error that no further request may be made."""
        return QuotaExceededError(self._message(url, reason))

    def _message(self, url: str, reason: str) -> str:
        message = f"{url.partition('?')[0]}: {reason}"
        return message.replace(self.api.secret, "***") if self.api.secret else message


class _RetrySession(requests.Session):
    """A session that retries requests, and raises SourceApiError for every status but 200."""

    def __init__(self, client: ApiClient, policy: RetryPolicy, before_attempt: Callable[[], None]) -> None:
        super().__init__()
        self._client = client
        self._policy = policy
        self._before_attempt = before_attempt
        self._limits = ApiLimits()
        self._started = time.monotonic()
        self._pages = 0

    def send(self, request: requests.PreparedRequest, **options: Any) -> Response:
        url = str(request.url).partition("?")[0]
        # A redirect could carry the secret to another server.
        options |= {"allow_redirects": False, "timeout": self._policy.timeout, "stream": True}

        def error(reason: str) -> SourceApiError:
            return self._client.error(url, reason)

        if stop := self._stop():
            raise self._client.quota_error(url, stop)
        refusals = 0

        def attempt() -> Response:
            nonlocal refusals
            self._before_attempt()
            response = send(lambda: self._receive(request, options, error), error, self._policy)
            reason, _ = _explain(response, self._client.api)
            refusals = refusals + 1 if response.status_code == 429 else 0
            if refusals:
                wait = retry_after(response.headers)
                if wait > MAX_WAIT_SECONDS:
                    raise self._client.quota_error(url, f"{reason}; the server asks to wait {wait:.0f} s")
                if refusals >= MAX_REFUSALS:
                    raise self._client.quota_error(url, reason)
            check_retryable(response, error, reason)
            return response

        response = retry(attempt, what=url, error=error, policy=self._policy)
        if response.status_code != 200:
            raise self._client.error(url, *_explain(response, self._client.api))
        self._pages += 1
        return response

    def _stop(self) -> str | None:
        """Return why this load makes no further request; None if it may."""
        if self._pages >= self._limits.max_pages:
            return f"stopped after {self._pages:,} pages (SLUICE_API_MAX_PAGES)"
        if time.monotonic() - self._started > self._limits.load_seconds:
            return f"stopped after {self._limits.load_seconds:,} s (SLUICE_API_LOAD_SECONDS)"
        return None

    def _receive(
        self,
        request: requests.PreparedRequest,
        options: dict[str, Any],
        error: Callable[[str], SourceApiError],
    ) -> Response:
        """Send a request and read its response within the limits."""
        deadline = time.monotonic() + self._limits.request_seconds
        response = super().send(request, **options)
        body = io.BytesIO()
        try:
            # As it comes: a full block may take a slow server for ever.
            while data := response.raw.read1(BLOCK_BYTES, decode_content=True):
                body.write(data)
                if body.tell() > self._limits.max_response_mb * 1024 * 1024:
                    raise error(
                        f"response of more than {self._limits.max_response_mb:,} MB (SLUICE_API_MAX_RESPONSE_MB)"
                    )
                if time.monotonic() > deadline:
                    raise error(
                        f"no complete response within {self._limits.request_seconds:,} s (SLUICE_API_REQUEST_SECONDS)"
                    )
            if missing := response.raw.length_remaining:
                raise urllib3.exceptions.IncompleteRead(body.tell(), missing)
        finally:
            response.close()
        body.seek(0)
        response.raw = body
        return response


def _explain(response: Response, api: ApiSettings) -> tuple[str, str | None]:
    """Return why a request was rejected and what to do, and the server's name of the error."""
    reason = status_text(response.status_code)
    if response.status_code in (401, 403):
        reason += f"; check {api.key_variable}" if api.secret else f"; {api.key_variable} is not set"
    elif 300 <= response.status_code < 400:
        reason += f"; redirects are not followed, check {api.url_variable}"
    try:
        body = response.json() if response.status_code != 200 else None
    except (ValueError, RecursionError):
        body = None
    words = _words(body)
    return (f"{reason} ({': '.join(words.values())})" if words else reason), words.get("code")


def _words(body: Any) -> dict[str, str]:
    """Return the server's own explanation of an error."""
    fields = ("code", "message", "detail") if isinstance(body, dict) else ()
    found = {field: body[field] for field in fields if isinstance(body.get(field), str)}
    return {field: " ".join(text.split())[:MAX_EXPLANATION] for field, text in found.items()}


def _reject_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not a number")


def _describe(error: Exception) -> str:
    """Return what is wrong with a JSON text, without repeating the text."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    return type(error).__name__ if isinstance(error, UnicodeDecodeError | RecursionError) else str(error)
