"""What is published, as rows for `raw_ops`, one per version seen; reads nothing but published files.

A file that cannot be read, or lacks its accounting mart, keeps none of the others from being read.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import duckdb

from publishing.readers import Reader, open_published, published_names
from settings import PLATFORM, Settings
from transformation.manifest import row_counts_mart
from warehouse import WarehouseError

log = logging.getLogger(__name__)
PUBLICATIONS = {
    "pipeline": "text",
    "published_at": "timestamp",
    "bytes": "bigint",
    "rows_published": "bigint",
    "rows_read": "bigint",
    "rows_quarantined": "bigint",
    "newest_input_at": "timestamp",
    # A version that readers see again after a rollback is collected again.
    "collected_at": "timestamp",
}
COSTS = {"pipeline": "text", "day": "date", "cost": "decimal"}
DAYS = {
    "domain": "text",
    "day": "date",
    "rows_in": "bigint",
    "rows_published": "bigint",
    "rows_quarantined": "bigint",
    "newest_input_at": "timestamp",
}

_ACCOUNTED = """
select sum(rows_read)::bigint as rows_read, sum(rows_quarantined)::bigint as rows_quarantined,
    max(loaded_at) as newest_input_at
from marts.{row_counts}
"""
_DAYS = """
select loaded_at::date as day, sum(rows_read)::bigint as rows_in, sum(rows_clean)::bigint as rows_published,
    sum(rows_quarantined)::bigint as rows_quarantined, max(loaded_at) as newest_input_at
from marts.{row_counts} where loaded_at is not null group by all order by all
"""
_COSTS = """
select called_on as day, sum(cost_usd)::decimal(18, 6) as cost
from marts.agg_llm_cost_by_day group by all order by all
"""


def domains(settings: Settings) -> list[str]:
    """The domains that have published something."""
    return [name for name in published_names(settings) if name not in PLATFORM]


def publications(
    settings: Settings, known: Iterable[tuple[str, datetime]], unread: dict[str, str]
) -> list[dict[str, Any]]:
    """Describe the versions that readers see, unless they saw them at the last collection.

    Args:
        settings: which data folder.
        known: domain and time (UTC) of the version of each domain that was collected last.
        unread: gets the domains whose file cannot be read, with the reason.
    """
    seen_before = set(known)

    def read(domain: str) -> list[dict[str, Any]]:
        with open_published(domain, settings) as published:
            if (domain, published.published_at) in seen_before:
                return []
            accounted = next(_rows(published, _ACCOUNTED.format(row_counts=row_counts_mart(domain))))
            key = {
                "pipeline": domain,
                "published_at": published.published_at,
                "collected_at": datetime.now(UTC),
            }
            return [key | {"bytes": published.bytes, "rows_published": published.rows()} | accounted]

    return _of_each_domain(settings, read, unread)


def days(settings: Settings, unread: dict[str, str]) -> list[dict[str, Any]]:
    """What became of the rows of each day's loads, by domain, as published now; `unread` as above."""

    def read(domain: str) -> list[dict[str, Any]]:
        with open_published(domain, settings) as published:
            return [
                {"domain": domain, **row}
                for row in _rows(published, _DAYS.format(row_counts=row_counts_mart(domain)))
            ]

    return _of_each_domain(settings, read, unread)


def costs(settings: Settings, unread: dict[str, str]) -> list[dict[str, Any]]:
    """What models cost by day in US dollars, for the domains that publish it; `unread` as above."""

    def read(domain: str) -> list[dict[str, Any]]:
        with open_published(domain, settings) as published:
            if "agg_llm_cost_by_day" not in published.tables():
                return []
            return [{"pipeline": domain, **row} for row in _rows(published, _COSTS)]

    return _of_each_domain(settings, read, unread)


def _of_each_domain(
    settings: Settings, read: Callable[[str], list[dict[str, Any]]], unread: dict[str, str]
) -> list[dict[str, Any]]:
    found = []
    for domain in domains(settings):
        try:
            found += read(domain)
        except (duckdb.Error, WarehouseError, OSError) as error:
            reason = str(error).partition("\n")[0]
            unread[domain] = f"{settings.published(domain)}: {reason}; publish {domain} again"
            log.warning("left out: %s", unread[domain])
    return found


def _rows(published: Reader, query: str) -> Iterator[dict[str, Any]]:
    found = published.execute(query)
    names = [column[0] for column in found.description]
    for row in found.fetchall():
        values = dict(zip(names, row, strict=True))
        # Published times have no zone; they are in UTC.
        yield {
            name: value.replace(tzinfo=UTC) if isinstance(value, datetime) else value
            for name, value in values.items()
        }
