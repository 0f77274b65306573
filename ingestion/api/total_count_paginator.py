"""Numbered pages of an API that says how many records there are, but may give pages that are too short."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from dlt.sources.helpers.rest_client.paginators import SinglePagePaginator

from ingestion.api.client import ApiClient, ApiError

TOTAL = "totalResults"
# The server's word for a page beyond those that the plan gives of one query.
TOO_FAR = "maximumResultsReached"


class PageLimitReachedError(Exception):
    """The API has more records, but gives only the first `pages` pages of them; these were read."""

    def __init__(self, pages: int) -> None:
        super().__init__(f"the API goes no further than page {pages} of a query")
        self.pages = pages


def total_count_pages(
    client: ApiClient, path: str, params: Mapping[str, Any], *, page_size: int, most_pages: int | None = None
) -> Iterator[list[Any]]:
    """Yield all pages; those that brought too few records are read again until that brings nothing new.

    A page may be cut short, or repeat another page. Whether two different records are versions of one is for the
    caller to know.

    Args:
        client: the API.
        path: the path to read, below the API's address.
        params: parameters of every request.
        page_size: records a page; the last page may have fewer.
        most_pages: how many pages the API gives, if that is known.

    Raises:
        ApiError: a page cannot be read.
        PageLimitReachedError: there are more records than the API gives; raised after the last page.
    """
    seen: set[str] = set()
    total = page_size

    def given() -> int:
        return total if most_pages is None else min(total, most_pages * page_size)

    def read(number: int) -> list[Any]:
        """The records of a page that were on no earlier page."""
        nonlocal total
        asked = {**params, "page": number, "pageSize": page_size}
        (page,) = client.paginate(path, params=asked, paginator=SinglePagePaginator(), hooks={"response": []})
        counted = client.body(page.response).get(TOTAL)
        if not isinstance(counted, int) or counted < 0:
            raise client.error(page.response.url, f"the answer does not say how many there are ({TOTAL})")
        total = counted
        new = {key: record for record in page if (key := json.dumps(record, sort_keys=True)) not in seen}
        seen.update(new)
        return list(new.values())

    found: dict[int, int] = {}
    number = 1
    while (number - 1) * page_size < given():
        try:
            records = read(number)
        except ApiError as error:
            if number == 1 or error.code != TOO_FAR:
                raise
            most_pages = number - 1
            break
        found[number] = len(records)
        yield records
        number += 1
    brought = True
    while brought and len(seen) < given():
        brought = False
        short = [
            page for page, count in found.items() if count < min(page_size, given() - (page - 1) * page_size)
        ]
        for number in short:
            records = read(number)
            found[number] += len(records)
            brought |= bool(records)
            yield records
    if given() < total:
        raise PageLimitReachedError(most_pages)
