"""The published versions, as rows for `raw_ops`; reads nothing but published files.

A file that cannot be read, or lacks its mart of row counts, is skipped with a warning.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import duckdb

from observability.metrics.ops_store import OpsTable
from publishing.readers import Reader, open_published, published_names
from settings import PLATFORM, Settings
from transformation.manifest import read_manifest, row_counts_mart
from warehouse import WarehouseError

log = logging.getLogger(__name__)
PUBLICATIONS = OpsTable(
    "publications",
    {
        "pipeline": "text",
        "published_at": "timestamp",
        "bytes": "bigint",
        "rows_published": "bigint",
        "rows_read": "bigint",
        "rows_quarantined": "bigint",
        "newest_input_at": "timestamp",
        # A version that readers see again after a rollback is collected again.
        "collected_at": "timestamp",
    },
    ("pipeline", "published_at"),
)
COSTS = OpsTable("costs", {"pipeline": "text", "day": "date", "cost": "decimal"}, ("pipeline", "day"))
DAYS = OpsTable(
    "published_days",
    {
        "domain": "text",
        "day": "date",
        "rows_in": "bigint",
        "rows_published": "bigint",
        "rows_quarantined": "bigint",
        "newest_input_at": "timestamp",
    },
    ("domain", "day"),
    replaces="domain",
)

_ROW_COUNTS = """
select sum(rows_read)::bigint as rows_read, sum(rows_quarantined)::bigint as rows_quarantined,
    max(loaded_at) as newest_input_at
from marts.{mart}
"""
_DAYS = """
select loaded_at::date as day, sum(rows_read)::bigint as rows_in, sum(rows_clean)::bigint as rows_published,
    sum(rows_quarantined)::bigint as rows_quarantined, max(loaded_at) as newest_input_at
from marts.{mart} where loaded_at is not null group by all order by all
"""
_COSTS = "select {day} as day, sum({usd})::decimal(18, 6) as cost from marts.{mart} group by all order by all"


def published_domains(settings: Settings) -> list[str]:
    """Return the domains that have published something."""
    return [name for name in published_names(settings) if name not in PLATFORM]


def publications(
    settings: Settings, known: Iterable[tuple[str, datetime]], unreadable: dict[str, str]
) -> list[dict[str, Any]]:
    """Describe the versions that readers see, except those of the last collection.

    Args:
        settings: which data folder.
        known: domain and time (UTC) of the version of each domain that was collected last.
        unreadable: receives the domains whose file cannot be read, with the reason.
    """
    seen_before = set(known)

    def read(domain: str, published: Reader) -> Iterator[dict[str, Any]]:
        if (domain, published.published_at) in seen_before:
            return
        version = {
            "published_at": published.published_at,
            "collected_at": datetime.now(UTC),
            "bytes": published.bytes,
            "rows_published": published.rows(),
        }
        for counts in _rows(published, _ROW_COUNTS.format(mart=row_counts_mart(domain))):
            yield {"pipeline": domain, **version, **counts}

    return _of_each_domain(settings, read, unreadable)


def days(settings: Settings, unreadable: dict[str, str]) -> list[dict[str, Any]]:
    """Return the published row counts by domain and day of the load; `unreadable` as above."""

    def read(domain: str, published: Reader) -> Iterator[dict[str, Any]]:
        for row in _rows(published, _DAYS.format(mart=row_counts_mart(domain))):
            yield {"domain": domain, **row}

    return _of_each_domain(settings, read, unreadable)


def costs(settings: Settings, unreadable: dict[str, str]) -> list[dict[str, Any]]:
    """Return the costs by day in US dollars, of the domains that publish them; `unreadable` as above."""
    # Before dbt has parsed the project, no domain has such a mart.
    manifest = read_manifest(settings.manifest) if settings.manifest.exists() else None

    def read(domain: str, published: Reader) -> Iterator[dict[str, Any]]:
        for costs in manifest.costs(domain) if manifest else ():
            if costs.mart in published.tables():
                query = _COSTS.format(mart=costs.mart, day=costs.day, usd=costs.usd)
                yield from ({"pipeline": domain, **row} for row in _rows(published, query))

    return _of_each_domain(settings, read, unreadable)


def _of_each_domain(
    settings: Settings,
    read: Callable[[str, Reader], Iterator[dict[str, Any]]],
    unreadable: dict[str, str],
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for domain in published_domains(settings):
        try:
            with open_published(domain, settings) as published:
                found += list(read(domain, published))
        except (duckdb.Error, WarehouseError, OSError) as error:
            reason = str(error).partition("\n")[0]
            unreadable[domain] = f"{settings.published(domain)}: {reason}; publish {domain} again"
            log.warning("Skipped %s", unreadable[domain])
    return found


def _rows(published: Reader, query: str) -> Iterator[dict[str, Any]]:
    found = published.execute(query)
    names = [column[0] for column in found.description]
    for row in found.fetchall():
        # Published times are in UTC and have no zone.
        values = (value.replace(tzinfo=UTC) if isinstance(value, datetime) else value for value in row)
        yield dict(zip(names, values, strict=True))
