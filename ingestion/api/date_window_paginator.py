"""Records from the newest back to the oldest, of an API that gives only so many of one query."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ingestion.api.api_resource import IncompleteError
from ingestion.api.client import ApiClient, ApiError, QuotaExceededError
from ingestion.api.records import as_time
from ingestion.api.total_count_paginator import PageLimitReachedError, total_count_pages

# The server's word for, among others, a time from which on the plan does not give records.
REFUSED = "parameterInvalid"
SECOND = timedelta(seconds=1)


def date_windows(
    client: ApiClient, path: str, params: Mapping[str, str], *, page_size: int, time_field: str
) -> Iterator[list[Any]]:
    """Yield all pages; where the API gives no more of them, ask for what is as old as the oldest record, or older.

    A record may come twice. Without `from`, the API begins with the oldest records of the plan.

    Args:
        client: the API.
        path: the path to read, below the API's address.
        params: parameters of the requests: `to`, perhaps `from`, both in UTC, and the order from new to old.
        page_size: records a page.
        time_field: the field of a record with its time.

    Raises:
        ApiError: a page cannot be read.
        IncompleteError: after the last page; the plan does not give all records, or not today.
    """
    window, most_pages = dict(params), None
    reached: datetime | None = None
    missing = []
    while True:
        try:
            for page in total_count_pages(client, path, window, page_size=page_size, most_pages=most_pages):
                reached = min(filter(None, [reached, *_times(page, time_field)]), default=None)
                yield page
            break
        except PageLimitReachedError as error:
            most_pages = error.pages
            if reached is None:
                missing.append(f"{error}, and its records have no {time_field} to go on from")
                break
            # Rounded up, because a window has whole seconds.
            until = _written(reached + SECOND - timedelta(microseconds=1))
            if until >= window["to"]:
                missing.append(f"{error}, and more was published at {window['to']}")
                until = _written(as_time(window["to"]) - SECOND)
            window["to"] = until
        except QuotaExceededError as error:
            if reached is None:
                raise
            missing.append(f"what was published before {_written(reached)} is not read: {error}")
            break
        except ApiError as error:
            if error.code != REFUSED or reached or "from" not in window:
                raise
            missing.append(f"what was published since {window.pop('from')} may be missing: {error}")
    if missing:
        raise IncompleteError("; ".join(missing))


def _times(page: list[Any], time_field: str) -> list[datetime]:
    times = (as_time(record.get(time_field)) for record in page if isinstance(record, dict))
    return [time for time in times if time]


def _written(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
