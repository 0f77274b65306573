"""Records from the newest to the oldest, from an API that limits the number of records per query."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ingestion.api.client import ApiClient
from ingestion.api.errors import PartialReadError, QuotaExceededError, SourceApiError, Unread
from ingestion.api.total_count_paginator import PageLimitReachedError, total_count_pages

# The server's code for, among others, a time before those that the plan covers.
INVALID_PARAMETER_CODE = "parameterInvalid"
SECOND = timedelta(seconds=1)


def date_window_pages(
    client: ApiClient,
    path: str,
    params: Mapping[str, str],
    windows: Sequence[Unread],
    *,
    page_size: int,
    time_of: Callable[[Any], datetime | None],
) -> Iterator[list[Any]]:
    """Yield all pages of some times; at the limit of a query, the next one ends at the time of the oldest record.

    A record may come twice. Without a beginning, the API starts with the oldest records of the plan.

    Args:
        client: the API.
        path: the path of the records.
        params: parameters of the requests, with the order from new to old.
        windows: the times to read, each with an end, in UTC; what the first ones leave unread, the next reading needs.
        page_size: records per page.
        time_of: returns the time of a record; None if it has none that can be relied on.

    Raises:
        SourceApiError: a page cannot be read.
        PartialReadError: after the last page, if the plan does not give all records, or not now.
    """
    missing: list[str] = []
    unread, has_read = None, False
    for window in windows:
        reading = _Window(client, path, params, window, page_size, time_of, missing)
        try:
            for page in reading.pages():
                yield page
                has_read = True
        except QuotaExceededError as error:
            if not has_read:
                raise
            is_last = window is windows[-1]
            unread = Unread(window.since, reading.end, window.until if is_last else window.later)
            later = "" if is_last else f", nor those since {window.later}"
            missing.append(f"records before {reading.end} were not read{later}: {error}")
            break
    if missing:
        raise PartialReadError("; ".join(missing), unread)


class _Window:
    """One reading of the records of a time.

    Attributes:
        end: the time before which records have not been read.
    """

    def __init__(
        self,
        client: ApiClient,
        path: str,
        params: Mapping[str, str],
        window: Unread,
        page_size: int,
        time_of: Callable[[Any], datetime | None],
        missing: list[str],
    ) -> None:
        self._client = client
        self._path = path
        self._since = window.since
        self._params = params
        self._page_size = page_size
        self._time_of = time_of
        self._missing = missing
        self._oldest: datetime | None = None
        self.end = str(window.until)

    def pages(self) -> Iterator[list[Any]]:
        """Yield all pages, and note what is missing. Raises what `total_count_pages` raises."""
        max_pages, until = None, self.end
        while True:
            since = {"from": self._since} if self._since else {}
            params = {**self._params, **since, "to": until}
            try:
                for page in total_count_pages(
                    self._client, self._path, params, page_size=self._page_size, max_pages=max_pages
                ):
                    self._note(page)
                    yield page
                return
            except PageLimitReachedError as error:
                max_pages = error.pages
                if self._oldest is None:
                    self._missing.append(f"{error}, and its records have no time")
                    return
                if self.end >= until:
                    if error.is_certain:
                        self._missing.append(f"{error}, and more records are from {until}")
                    self.end = _format(datetime.fromisoformat(until).replace(tzinfo=UTC) - SECOND)
                until = self.end
            except SourceApiError as error:
                if error.code != INVALID_PARAMETER_CODE or self._oldest or not self._since:
                    raise
                self._missing.append(f"records since {self._since} may be missing: {error}")
                self._since = None

    def _note(self, page: list[Any]) -> None:
        # The last one, not the oldest: a time that is not in the order is wrong.
        time = next(filter(None, map(self._time_of, reversed(page))), None)
        if time:
            self._oldest = min(self._oldest or time, time)
            # Rounded up, because the API takes whole seconds.
            self.end = min(self.end, _format(self._oldest + SECOND - timedelta(microseconds=1)))


def _format(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
