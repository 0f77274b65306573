"""Pages of a data set that Socrata serves (SODA 2.1), in the order of the records' last change."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast

from dlt.sources.helpers.rest_client.paginators import BasePaginator
from requests import Request, Response

from ingestion.api.client import ApiClient
from ingestion.api.errors import Unread
from ingestion.api.times import OVERLAP, parse_time

UPDATED_AT = ":updated_at"
ID = ":id"


class SocrataPaginator(BasePaginator):
    """Reads records by time and id; each page begins behind the last record of the page before.

    A record that changes during the reading moves to the end. dlt's OffsetPaginator would then miss the first record of the
    next page, and a server takes long to skip millions of records.

    Args:
        client: makes the errors.
        start: the time from which on to read, and the record of that time behind which to begin; None for all records.
        page_size: records per page.

    Attributes:
        reached: the time and id of the last record that was read; before the first page, where the reading starts.

    Raises:
        SourceApiError: while reading, if the records have no time and id, or are not in this order.
    """

    def __init__(self, client: ApiClient, start: Unread, page_size: int) -> None:
        super().__init__()
        self.reached = start
        self._client = client
        self._page_size = page_size

    def init_request(self, request: Request) -> None:
        """Request the first page."""
        self.update_request(request)

    def update_request(self, request: Request) -> None:
        """Request the next page."""
        params = cast(dict[str, Any], request.params or {})
        where = {"$where": self._condition()} if self.reached.since else {}
        fields = {"$select": ":*,*", "$order": f"{UPDATED_AT},{ID}", "$limit": self._page_size}
        request.params = params | fields | where

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """Note the last record of a page; an empty page is the end."""
        if not data:
            self._has_next_page = False
            return
        records = [each for each in data if isinstance(each, dict) and isinstance(each.get(ID), str)]
        known = [(time, each) for each in records if (time := parse_time(each.get(UPDATED_AT)))]
        if not known:
            raise self._client.error(response.url, f"records have no {UPDATED_AT} and {ID}")
        times = [time for time, _ in known]
        since = parse_time(_milliseconds(self.reached.since))
        last = Unread(known[-1][1][UPDATED_AT], after=known[-1][1][ID])
        if times != sorted(times):
            raise self._client.error(response.url, f"records are not in the order of {UPDATED_AT}")
        if last == self.reached or (since and times[0] < since):
            raise self._client.error(response.url, "the server ignores $where")
        self.reached = last

    def _condition(self) -> str:
        if not self.reached.after:
            return f"{UPDATED_AT} >= '{_milliseconds(self.reached.since)}'"
        time = f"'{self.reached.since}'"
        row = self.reached.after.replace("'", "''")
        return f"{UPDATED_AT} > {time} or ({UPDATED_AT} = {time} and {ID} > '{row}')"


def _milliseconds(text: str | None) -> str | None:
    """Return a time as Socrata writes it."""
    time = parse_time(text)
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03}Z" if time else None


def socrata_pages(client: ApiClient, path: str, start: Unread, *, page_size: int) -> Iterator[list[Any]]:
    """Yield the pages of `SocrataPaginator`.

    Raises:
        SourceApiError: a page cannot be read.
        PartialReadError: after the last page, if no further request is allowed.
    """
    paginator = SocrataPaginator(client, start, page_size)

    def rest() -> tuple[str | None, Unread]:
        reached = paginator.reached
        # Changes of the last day may become visible behind the reading.
        visible = datetime.now(UTC) - OVERLAP
        is_recent = (parse_time(reached.since) or visible) > visible
        unread = Unread(visible.isoformat()) if is_recent else reached
        return unread.since, unread

    yield from client.pages_within_quota(path, paginator, rest)
