"""Pages of records that change while they are read."""

from datetime import datetime
from typing import Any, cast

from dlt.sources.helpers.rest_client.paginators import BasePaginator
from requests import Request, Response

from ingestion.api.client import ApiClient
from ingestion.api.records import parse_time

# A server may return the same page this often in a row.
MAX_REPETITIONS = 3


class UpdatedSincePaginator(BasePaginator):
    """Reads records in the order of their last change; each page starts at the time of the last record before.

    A record that changes during the reading moves to the end, and all records behind it move up by one: dlt's
    PageNumberPaginator would miss the first record of the next page. A reading by time misses none, because no unread
    record can move to an earlier time. If more than a page of records have the same time, they are read by page
    numbers, repeatedly until no new record is among them.

    Args:
        client: makes the errors.
        cursor: the field with the time of the last change.
        since: the time from which on to read; None for all records.
        page_size: records per page.

    Raises:
        SourceApiError: while reading, if the records are not in this order.
    """

    def __init__(self, client: ApiClient, cursor: str, since: str | None, page_size: int) -> None:
        super().__init__()
        self._client = client
        self._cursor = cursor
        self._page_size = page_size
        self._seen: set[str] = set()
        self._last_page: list[Any] = []
        self._repetitions = 0
        self._start_at(since)

    def init_request(self, request: Request) -> None:
        """Request the first page."""
        self.update_request(request)

    def update_request(self, request: Request) -> None:
        """Request the next page."""
        since = {"updated_since": self._since} if self._since else {}
        params = cast(dict[str, Any], request.params or {})
        request.params = params | since | {"page": self._page, "page_size": self._page_size}

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """Decide from a page what to read next."""
        page = data or []
        timed = [(time, record) for record in page if (time := self._time(record))]
        self._check(response, page, [time for time, _ in timed])
        records = {str(record) for record in page if isinstance(record, dict)}
        # A server that repeats the page before has not returned this one.
        self._has_new |= not records <= self._seen or self._repetitions > 0
        self._seen |= records
        since = parse_time(self._since)
        advances = bool(timed) and (since is None or timed[-1][0] > since)
        if page and not advances:
            self._page += 1
        elif self._page > 1 and self._has_new:
            self._start_at(self._since)
        elif advances:
            self._start_at(timed[-1][1][self._cursor])
        else:
            self._has_next_page = False

    def _start_at(self, since: str | None) -> None:
        # `_has_new`: whether a new record came, or may have come, since page 1 of this time.
        self._since, self._page, self._has_new = since, 1, False

    def _time(self, record: Any) -> datetime | None:
        return parse_time(record.get(self._cursor)) if isinstance(record, dict) else None

    def _check(self, response: Response, page: list[Any], times: list[datetime]) -> None:
        since = parse_time(self._since)
        self._repetitions = self._repetitions + 1 if page and page == self._last_page else 0
        self._last_page = page
        if times != sorted(times):
            raise self._client.error(response.url, f"records are not in the order of {self._cursor}")
        if self._page == 1 and since and times and times[-1] < since:
            raise self._client.error(response.url, "the server ignores updated_since")
        if self._repetitions >= MAX_REPETITIONS:
            raise self._client.error(response.url, f"the server repeats page {self._page - 1}")
