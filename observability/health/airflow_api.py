"""A client of Airflow's REST API."""

import time
from collections.abc import Iterator
from typing import Any, Self

import httpx

# Airflow returns at most 100 entries per page unless it is configured for more.
PAGE = 1000


class AirflowApiError(RuntimeError):
    """The API responded with an error, or did not respond."""


class AirflowApi:
    """A user's session with the api-server at `url`."""

    def __init__(self, url: str, username: str, password: str) -> None:
        self.url = url
        self._login = {"username": username, "password": password}
        self._http = httpx.Client(base_url=url, timeout=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def login(self) -> None:
        """Log in.

        Raises:
            AirflowApiError: the server does not accept this user and password.
        """
        response = self._http.post("/auth/token", json=self._login)
        if not response.is_success:
            raise AirflowApiError(f"{self.url} rejects the login: {response.text}")
        self._http.headers["Authorization"] = f"Bearer {response.json()['access_token']}"

    def close(self) -> None:
        """End the session."""
        self._http.close()

    def pages(self, path: str, key: str, params: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the entries of all pages of a list.

        Raises:
            AirflowApiError: see `call`.
        """
        offset = 0
        while True:
            response = self.call("GET", path, params=params | {"limit": PAGE, "offset": offset})
            yield from response[key]
            offset += len(response[key])
            if not response[key] or offset >= response["total_entries"]:
                return

    def call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """Make a call and return its answer, if it has one; log in again if the token has expired.

        Raises:
            AirflowApiError: the API responded with an error, or did not respond.
        """
        for attempt in range(3):
            try:
                response = self._http.request(method, f"/api/v2{path}", **options)
                break
            except httpx.TimeoutException:
                # SQLite is slow while every task of a layer writes its state.
                if attempt == 2 or method == "POST":
                    raise AirflowApiError(f"{method} {path}: {self.url} does not respond") from None
                time.sleep(1)
            except httpx.TransportError as error:
                raise AirflowApiError(
                    f"{method} {path}: {self.url} cannot be reached ({type(error).__name__})"
                ) from error
        if response.status_code == 401:
            self.login()
            response = self._http.request(method, f"/api/v2{path}", **options)
        if not response.is_success:
            raise AirflowApiError(f"{method} {path}: {response.status_code} {response.text}")
        return response.json() if response.content else {}
