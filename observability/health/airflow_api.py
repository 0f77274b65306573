"""A client of Airflow's REST API: a user's session, and lists of many pages."""

import time
from collections.abc import Iterator
from typing import Any

import httpx

# Airflow gives at most 100 entries a page unless it is configured for more, whatever is asked for.
PAGE = 1000


class ApiError(RuntimeError):
    """The API answered with an error, or not at all; the message is its own."""


class AirflowApi:
    """A user's session with the api-server at `url`."""

    def __init__(self, url: str, username: str, password: str) -> None:
        self.url = url
        self._login = {"username": username, "password": password}
        self._http = httpx.Client(base_url=url, timeout=30)

    def __enter__(self) -> "AirflowApi":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def login(self) -> None:
        """Get a token.

        Raises:
            ApiError: the server does not accept this user and password.
        """
        answer = self._http.post("/auth/token", json=self._login)
        if not answer.is_success:
            raise ApiError(f"{self.url} refuses the login of this platform: {answer.text}")
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def close(self) -> None:
        """End the session."""
        self._http.close()

    def pages(self, path: str, key: str, params: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield all entries of a list, however many pages it has.

        Raises:
            ApiError: see `call`.
        """
        offset = 0
        while True:
            answer = self.call("GET", path, params=params | {"limit": PAGE, "offset": offset})
            yield from answer[key]
            offset += len(answer[key])
            if not answer[key] or offset >= answer["total_entries"]:
                return

    def call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """Make one call; a login that has expired is renewed.

        Raises:
            ApiError: the server refused, or did not answer.
        """
        for attempt in range(3):
            try:
                answer = self._http.request(method, f"/api/v2{path}", **options)
                break
            except httpx.TimeoutException:
                # SQLite answers late while every task of a layer writes its state.
                if attempt == 2 or method == "POST":
                    raise ApiError(f"{method} {path}: no answer from {self.url}") from None
                time.sleep(1)
            except httpx.TransportError as error:
                raise ApiError(
                    f"{method} {path}: {self.url} does not answer ({type(error).__name__})"
                ) from error
        if answer.status_code == 401:
            self.login()
            answer = self._http.request(method, f"/api/v2{path}", **options)
        if not answer.is_success:
            raise ApiError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json()
