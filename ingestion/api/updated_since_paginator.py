"""Pages of records that change while they are read."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast

from dlt.sources.helpers.rest_client.paginators import BasePaginator
from requests import Request, Response

from ingestion.api.client import ApiClient
from ingestion.api.errors import Unread
from ingestion.api.times import OVERLAP, parse_time

# A server may return the same page this often in a row.
MAX_REPETITIONS = 3


class UpdatedSincePaginator(BasePaginator):
    """Reads records in the order of their last change; each page starts at the time of the last record before.

    A record that changes during the reading moves to the end, and all records behind it move up by one: dlt's
    PageNumberPaginator would miss the first record of the next page. A reading by time misses none, because no unread
    record can move to an earlier time. If more than a page of records have the same time, they are read by page
    numbers, repeatedly until no new record is among them.

    Attributes:
        since: the time from which on records have not been read.

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
        # The size of a page, and what is asked for, which may be less.
        self._page_size = self._asked = page_size
        self._longest = 0
        self._last_page: list[Any] = []
        self._repetitions = 0
        self._seen: set[str] = set()
        self._start_at(since)

    def init_request(self, request: Request) -> None:
        """Request the first page."""
        self.update_request(request)

    def update_request(self, request: Request) -> None:
        """Request the next page."""
        since = {"updated_since": self.since} if self.since else {}
        params = cast(dict[str, Any], request.params or {})
        request.params = params | since | {"page": self._page, "page_size": self._asked}

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """Decide from a page what to read next."""
        page = data or []
        timed = [(time, record) for record in page if (time := self._time(record))]
        self._check(response, [time for time, _ in timed])
        self._longest = max(self._longest, len(page))
        was_repeated = self._repetitions > 0
        self._repetitions = self._repetitions + 1 if page and page == self._last_page else 0
        self._last_page = page
        if self._repetitions >= MAX_REPETITIONS:
            if not self._is_last(page):
                self._read_again(response, page)
                return
            page, timed = [], []
        records = {str(record) for record in page if isinstance(record, dict)}
        # A server that repeated the page before had not returned the one that was asked for.
        self._has_new |= not records <= self._seen or (was_repeated and not self._repetitions)
        self._seen |= records
        since = parse_time(self.since)
        advances = bool(timed) and (since is None or timed[-1][0] > since)
        if page and not advances:
            self._page += 1
        elif self._page > 1 and self._has_new:
            self._start_at(self.since)
        elif advances:
            self._start_at(timed[-1][1][self._cursor])
        else:
            self._has_next_page = False

    def _start_at(self, since: str | None) -> None:
        # `_has_new`: whether a new record came, or may have come, since page 1 of this time.
        self.since, self._page, self._has_new = since, 1, False
        self._last_page, self._repetitions = [], 0

    def _is_last(self, page: list[Any]) -> bool:
        """Whether a page that the server repeats is the last one: some give it for every page number beyond."""
        ignores_size = len(page) > self._asked and len(page) < self._page_size
        return len(page) < min(self._asked, self._longest) or len(page) == 1 or ignores_size

    def _read_again(self, response: Response, page: list[Any]) -> None:
        """Read this time by pages of another size: its last page is a short one, unless the server repeats any page."""
        if self._asked < self._page_size:
            reason = f"the server repeats page {self._page - 1}, so records may be missing"
            raise self._client.error(response.url, reason)
        self._asked = len(page) - 1
        self._start_at(self.since)

    def _time(self, record: Any) -> datetime | None:
        return parse_time(record.get(self._cursor)) if isinstance(record, dict) else None

    def _check(self, response: Response, times: list[datetime]) -> None:
        since = parse_time(self.since)
        if times != sorted(times):
            raise self._client.error(response.url, f"records are not in the order of {self._cursor}")
        if self._page == 1 and since and times and times[-1] < since:
            raise self._client.error(response.url, "the server ignores updated_since")


def updated_since_pages(
    client: ApiClient, path: str, cursor: str, since: str | None, *, page_size: int
) -> Iterator[list[Any]]:
    """Yield the pages of `UpdatedSincePaginator`.

    Raises:
        SourceApiError: a page cannot be read.
        PartialReadError: after the last page, if the server allows no further request.
    """
    paginator = UpdatedSincePaginator(client, cursor, since, page_size)

    def rest() -> tuple[str | None, Unread]:
        reached = paginator.since
        until = (datetime.now(UTC) - OVERLAP).isoformat()
        return reached, Unread(reached and min(reached, until, key=_time_or_now))

    yield from client.pages_within_quota(path, paginator, rest)


def _time_or_now(text: str) -> datetime:
    return parse_time(text) or datetime.now(UTC)
