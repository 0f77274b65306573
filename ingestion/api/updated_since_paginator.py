"""Pages of records that change while they are read."""

from datetime import datetime
from typing import Any

from dlt.sources.helpers.rest_client.paginators import BasePaginator
from requests import Request, Response

from ingestion.api.client import ApiClient
from ingestion.api.records import as_time

# A server may give the same page this often in a row.
MOST_REPETITIONS = 3


class UpdatedSincePaginator(BasePaginator):
    """Reads records in the order of their last change, each page from the time at which the last one ended.

    A record that changes during the reading moves to the end, and all records behind its old place move up by one;
    a reading by page numbers would miss the first record of the next page. A reading from a time on misses none,
    because no unread record can move to before that time. More than a page of records may have the same time; these
    are read by page numbers, again and again until nothing new is among them.

    Args:
        client: makes the errors.
        cursor: the field with the time of the last change.
        since: read changes from this time on; None for all there are.
        page_size: records a page.

    Raises:
        ApiError: (of the reading) the records do not come in this order.
    """

    def __init__(self, client: ApiClient, cursor: str, since: str | None, page_size: int) -> None:
        super().__init__()
        self._client = client
        self._cursor = cursor
        self._since = since
        self._page_size = page_size
        self._page = 1
        self._seen: set[str] = set()
        # Whether a record that was not seen before came, or may have come, since page 1 of this time.
        self._new = False
        self._last_page: list[Any] = []
        self._repetitions = 0

    def init_request(self, request: Request) -> None:
        """Ask for the first page."""
        self.update_request(request)

    def update_request(self, request: Request) -> None:
        """Ask for the next page."""
        since = {"updated_since": self._since} if self._since else {}
        request.params = {**(request.params or {}), **since, "page": self._page, "page_size": self._page_size}

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """Decide from a page where to go on."""
        page = data or []
        times = [time for time in map(self._time, page) if time]
        self._check(response, page, times)
        records = {str(record) for record in page if isinstance(record, dict)}
        # A server that repeats the page before has not given this one.
        self._new |= not records <= self._seen or self._repetitions > 0
        self._seen |= records
        since = as_time(self._since)
        goes_on = bool(times) and (since is None or times[-1] > since)
        if not goes_on and page:
            self._page += 1
        elif self._page > 1 and self._new:
            self._begin(self._since)
        elif goes_on:
            last = next(record for record in reversed(page) if self._time(record))
            self._begin(last[self._cursor])
        else:
            self._has_next_page = False

    def _begin(self, since: str | None) -> None:
        self._since, self._page, self._new = since, 1, False

    def _time(self, record: Any) -> datetime | None:
        return as_time(record.get(self._cursor)) if isinstance(record, dict) else None

    def _check(self, response: Response, page: list[Any], times: list[datetime]) -> None:
        since = as_time(self._since)
        if times != sorted(times):
            raise self._client.error(response.url, f"the records do not come in the order of {self._cursor}")
        if self._page == 1 and since and times and times[-1] < since:
            raise self._client.error(response.url, "the server does not heed updated_since")
        self._repetitions = self._repetitions + 1 if page and page == self._last_page else 0
        self._last_page = page
        if self._repetitions >= MOST_REPETITIONS:
            raise self._client.error(response.url, f"the server gives page {self._page - 1} again and again")
