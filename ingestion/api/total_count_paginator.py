"""Numbered pages of an API that returns the total number of records, but may return short or repeated pages.

dlt's PageNumberPaginator accepts such a page, and its records would be missing; here they are read again. The total only
says what to read again. The reading ends when the pages bring nothing new, whatever the total is.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from dlt.sources.helpers.rest_client.paginators import SinglePagePaginator

from ingestion.api.client import ApiClient
from ingestion.api.errors import SourceApiError

TOTAL = "totalResults"
# Pages in a row without a new record, after which the pages have ended.
MAX_IDLE_PAGES = 3
# The server's code for a page beyond the limit of the plan.
PAGE_LIMIT_CODE = "maximumResultsReached"


class PageLimitReachedError(Exception):
    """The API may have more records than it returns for one query; the first `pages` pages were read.

    `is_certain`: the API says that there are more.
    """

    def __init__(self, pages: int, is_certain: bool) -> None:
        super().__init__(f"the API returns no more than {pages} pages of a query")
        self.pages = pages
        self.is_certain = is_certain


def total_count_pages(
    client: ApiClient, path: str, params: Mapping[str, Any], *, page_size: int, max_pages: int | None = None
) -> Iterator[list[Any]]:
    """Yield all pages, at most `max_pages`; short pages are read again until that brings no new record.

    Raises:
        SourceApiError: a page cannot be read.
        PageLimitReachedError: after the last page, if there may be more records than the API returns.
    """
    seen: set[tuple[str, int]] = set()
    new_by_page: dict[int, int] = {}
    full_pages: set[int] = set()
    total = page_size

    def expected() -> int:
        return total if max_pages is None else min(total, max_pages * page_size)

    def read(number: int) -> list[Any]:
        """Return the records of a page that no earlier page had; equal records on one page are several."""
        nonlocal total
        paginator = SinglePagePaginator()
        (page,) = client.pages(path, paginator, {**params, "page": number, "pageSize": page_size})
        count = client.body(page.response).get(TOTAL)
        if not isinstance(count, int) or count < 0:
            raise client.error(page.response.url, f"invalid response: no number {TOTAL!r}")
        total = count
        if len(page) >= page_size:
            full_pages.add(number)
        copies: Counter[str] = Counter()
        new = []
        for record in page:
            text = json.dumps(record, sort_keys=True)
            copies[text] += 1
            if (text, copies[text]) not in seen:
                seen.add((text, copies[text]))
                new.append(record)
        new_by_page[number] = new_by_page.get(number, 0) + len(new)
        return new

    number, idle = 0, 0
    while number == 0 or ((len(seen) < total or number in full_pages) and idle < MAX_IDLE_PAGES):
        number += 1
        if max_pages is not None and number > max_pages:
            break
        try:
            new = read(number)
        except SourceApiError as error:
            if number == 1 or error.code != PAGE_LIMIT_CODE:
                raise
            max_pages = number - 1
            break
        # Behind the last page of the total, one without anything new is the end.
        is_behind = (number - 1) * page_size >= total
        idle = 0 if new else MAX_IDLE_PAGES if is_behind else idle + 1
        yield new
    before = -1
    while before < len(seen) < expected():
        before = len(seen)
        for number, count in list(new_by_page.items()):
            if count < min(page_size, expected() - (number - 1) * page_size):
                yield read(number)
    if max_pages in full_pages:
        raise PageLimitReachedError(max_pages, is_certain=len(seen) < total)
