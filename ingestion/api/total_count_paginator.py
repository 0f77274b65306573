"""Numbered pages of an API that returns the total number of records, but may return short or repeated pages.

dlt's PageNumberPaginator accepts such a page, and its records would be missing; here they are read again.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from dlt.sources.helpers.rest_client.paginators import SinglePagePaginator

from ingestion.api.client import ApiClient
from ingestion.api.errors import SourceApiError

TOTAL = "totalResults"
# The server's code for a page beyond the limit of the plan.
PAGE_LIMIT_CODE = "maximumResultsReached"


class PageLimitReachedError(Exception):
    """The API has more records than it returns for one query; the first `pages` pages were read."""

    def __init__(self, pages: int) -> None:
        super().__init__(f"the API returns no more than {pages} pages of a query")
        self.pages = pages


def total_count_pages(
    client: ApiClient, path: str, params: Mapping[str, Any], *, page_size: int, max_pages: int | None = None
) -> Iterator[list[Any]]:
    """Yield all pages, at most `max_pages`; short pages are read again until that brings no new record.

    Raises:
        SourceApiError: a page cannot be read.
        PageLimitReachedError: after the last page, if there are more records than the API returns.
    """
    seen: set[str] = set()
    new_by_page: dict[int, int] = {}
    total = page_size

    def available() -> int:
        return total if max_pages is None else min(total, max_pages * page_size)

    def read(number: int) -> list[Any]:
        """Return the records of a page that no earlier page had."""
        nonlocal total
        paginator = SinglePagePaginator()
        (page,) = client.pages(path, paginator, {**params, "page": number, "pageSize": page_size})
        count = client.body(page.response).get(TOTAL)
        if not isinstance(count, int) or count < 0:
            raise client.error(page.response.url, f"invalid response: no number {TOTAL!r}")
        total = count
        new = {key: record for record in page if (key := json.dumps(record, sort_keys=True)) not in seen}
        seen.update(new)
        new_by_page[number] = new_by_page.get(number, 0) + len(new)
        return list(new.values())

    number = 1
    while (number - 1) * page_size < available():
        try:
            yield read(number)
        except SourceApiError as error:
            if number == 1 or error.code != PAGE_LIMIT_CODE:
                raise
            max_pages = number - 1
            break
        number += 1
    before = -1
    while before < len(seen) < available():
        before = len(seen)
        for number, new in list(new_by_page.items()):
            if new < min(page_size, available() - (number - 1) * page_size):
                yield read(number)
    if max_pages is not None and available() < total:
        raise PageLimitReachedError(max_pages)
