"""Records from the newest to the oldest, from an API that limits the number of records per query."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ingestion.api.client import ApiClient
from ingestion.api.errors import PartialReadError, QuotaExceededError, SourceApiError
from ingestion.api.records import parse_time
from ingestion.api.total_count_paginator import PageLimitReachedError, total_count_pages

# The server's code for, among others, a time before those that the plan covers.
INVALID_PARAMETER_CODE = "parameterInvalid"
SECOND = timedelta(seconds=1)


def date_window_pages(
    client: ApiClient, path: str, params: Mapping[str, str], *, page_size: int, time_field: str
) -> Iterator[list[Any]]:
    """Yield all pages; at the limit of a query, the next one ends at the time of the oldest record.

    A record may come twice. Without `from`, the API starts with the oldest records of the plan.

    Args:
        client: the API.
        path: the path of the records.
        params: parameters of the requests: `to`, optionally `from`, both in UTC, and the order from new to old.
        page_size: records per page.
        time_field: the field of a record with its time.

    Raises:
        SourceApiError: a page cannot be read.
        PartialReadError: after the last page, if the plan does not give all records, or not today.
    """
    window, max_pages = dict(params), None
    oldest: datetime | None = None
    missing = []
    while True:
        try:
            for page in total_count_pages(client, path, window, page_size=page_size, max_pages=max_pages):
                times = (parse_time(record.get(time_field)) for record in page if isinstance(record, dict))
                oldest = min(filter(None, [oldest, *times]), default=None)
                yield page
            break
        except PageLimitReachedError as error:
            max_pages = error.pages
            if oldest is None:
                missing.append(f"{error}, and its records have no {time_field}")
                break
            # Rounded up, because the API takes whole seconds.
            end = _format(oldest + SECOND - timedelta(microseconds=1))
            if end >= window["to"]:
                missing.append(f"{error}, and more records are from {window['to']}")
                end = _format(datetime.fromisoformat(window["to"]).replace(tzinfo=UTC) - SECOND)
            window["to"] = end
        except QuotaExceededError as error:
            if oldest is None:
                raise
            missing.append(f"records before {_format(oldest)} were not read: {error}")
            break
        except SourceApiError as error:
            if error.code != INVALID_PARAMETER_CODE or oldest or "from" not in window:
                raise
            missing.append(f"records since {window.pop('from')} may be missing: {error}")
    if missing:
        raise PartialReadError("; ".join(missing))


def _format(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
