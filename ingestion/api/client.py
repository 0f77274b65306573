"""dlt's REST client, which tries again after failures that may pass and explains those that do not."""

import json
from collections.abc import Callable
from typing import Any

import requests
from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.auth import AuthConfigBase
from requests import Response

from ingestion.api.records import DeliveredNumber
from ingestion.api.settings import ApiSettings
from ingestion.download.retry import PASSING, RetryableError, check_passing, in_words, reason_of, retry

TIMEOUT_SECONDS = 30.0
TRIES = 6
FIRST_WAIT_SECONDS = 1.0
# Characters of a server's own explanation that are repeated in an error.
MOST_SAID = 200


class ApiError(RuntimeError):
    """The API could not be read, and nothing was loaded. The message has its address and the reason, but no secret.

    `code` is the server's own word for the reason, if it has one.
    """

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class QuotaExceededError(ApiError):
    """No further request may be made today."""


class ApiClient(RESTClient):
    """An API, whose answers are JSON objects with a list of records in one field.

    Args:
        api: its address and secret.
        auth: how requests carry the secret.
        data_selector: the field of an answer that holds the records.
        timeout: seconds without a byte after which a connection is given up.
        tries: how often a request is tried.
        first_wait: seconds before the second try; they double from try to try.
        before_try: called before each try; an exception that it raises ends the reading.

    Raises:
        ApiError: no address is set.
    """

    def __init__(
        self,
        api: ApiSettings,
        auth: AuthConfigBase | None,
        data_selector: str,
        *,
        timeout: float = TIMEOUT_SECONDS,
        tries: int = TRIES,
        first_wait: float = FIRST_WAIT_SECONDS,
        before_try: Callable[[], None] = lambda: None,
    ) -> None:
        if not api.api_url:
            raise ApiError(f"{api.url_variable} is not set; `sluice samples serve` offers samples")
        self.api = api
        self.before_try = before_try
        session = _PatientSession(self, timeout, tries, first_wait)
        super().__init__(api.api_url, auth=auth, data_selector=data_selector, session=session)

    def extract_response(self, response: Response, data_selector: str) -> list[Any]:
        """The records of an answer.

        Raises:
            ApiError: it has no list in that field.
        """
        records = self.body(response).get(data_selector)
        if not isinstance(records, list):
            raise self.error(response.url, f"the answer has no list {data_selector!r}")
        return records

    def body(self, response: Response) -> dict[str, Any]:
        """The JSON object of an answer, in which numbers remember how they were written.

        Raises:
            ApiError: it is not a JSON object.
        """
        try:
            body = json.loads(response.content, parse_float=DeliveredNumber, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            problem = self.error(response.url, f"the answer is not JSON: {_where(error)}")
        else:
            if isinstance(body, dict):
                return body
            problem = self.error(response.url, "the answer is JSON, but no object")
        # Raised outside the handler, so without the library's error, whose text repeats the whole answer.
        raise problem

    def check_status(self, response: Response) -> None:
        """Refuse an answer with any status but 200; those that may pass were tried again before.

        Raises:
            ApiError: it has another status; the message says what to do about it.
        """
        status = response.status_code
        if status == 200:
            return
        reason = f"the server answered {in_words(status)}"
        if status in (401, 403):
            reason = f"the server refuses what {self.api.key_variable} says: {in_words(status)}"
            if not self.api.secret:
                reason = f"the server wants to know who asks, and {self.api.key_variable} is not set: {in_words(status)}"
        elif 300 <= status < 400:
            reason += f"; is {self.api.url_variable} the whole address?"
        said = _said(response)
        raise self.error(
            response.url, f"{reason} ({': '.join(said.values())})" if said else reason, said.get("code")
        )

    def error(self, url: str, reason: str, code: str | None = None) -> ApiError:
        """An error that another try would not mend."""
        return ApiError(self._without_secret(f"{url.partition('?')[0]}: {reason}"), code)

    def _without_secret(self, text: str) -> str:
        return text.replace(self.api.secret, "***") if self.api.secret else text


class _PatientSession(requests.Session):
    """A session whose `send` waits and tries again when a request fails in a way that may pass."""

    def __init__(self, client: ApiClient, timeout: float, tries: int, first_wait: float) -> None:
        super().__init__()
        self._client = client
        self._timeout = timeout
        self._patience = {"tries": tries, "first_wait": first_wait}

    def send(self, request: requests.PreparedRequest, **options: Any) -> Response:
        shown = request.url.partition("?")[0]

        def failed(reason: str) -> ApiError:
            return self._client.error(shown, reason)

        def answer() -> Response:
            response = self._try(request, options, failed)
            check_passing(response, failed)
            return response

        response = retry(answer, what=shown, error=failed, **self._patience)
        self._client.check_status(response)
        return response

    def _try(self, request: requests.PreparedRequest, options: dict[str, Any], failed: Any) -> Response:
        self._client.before_try()
        # A redirect could carry the secret to another server.
        options |= {"allow_redirects": False, "timeout": self._timeout}
        try:
            return super().send(request, **options)
        except PASSING as error:
            problem: Exception = RetryableError(reason_of(error, self._timeout))
        except (requests.RequestException, ValueError) as error:
            problem = failed(f"it cannot be asked ({type(error).__name__})")
        # Raised outside the handler, so without the library's error, whose text repeats the query.
        raise problem


def _said(response: Response) -> dict[str, str]:
    """The server's own explanation of an error, in those of the usual fields that it has."""
    try:
        body = response.json()
    except ValueError:
        return {}
    fields = ("code", "message", "detail") if isinstance(body, dict) else ()
    said = {field: body[field] for field in fields if isinstance(body.get(field), str)}
    return {field: " ".join(text.split())[:MOST_SAID] for field, text in said.items()}


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")


def _where(error: Exception) -> str:
    """What is wrong with a JSON text, without repeating the text."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    return type(error).__name__ if isinstance(error, UnicodeDecodeError | RecursionError) else str(error)
