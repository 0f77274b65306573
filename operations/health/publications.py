"""What is published, as rows for `raw_ops`, one per version seen; reads nothing but published files."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import duckdb

from operations.published import open_published
from settings import PLATFORM, Settings

PUBLICATIONS = {
    "pipeline": "text",
    "published_at": "timestamp",
    "bytes": "bigint",
    "rows_published": "bigint",
    "rows_read": "bigint",
    "rows_quarantined": "bigint",
    "newest_input_at": "timestamp",
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
from marts.agg_{domain}_rows_by_file
"""
_ROWS = "select sum(estimated_size)::bigint from duckdb_tables() where schema_name = 'marts'"
_TABLES = "select table_name from duckdb_tables() where schema_name = 'marts'"
_DAYS = """
select loaded_at::date as day, sum(rows_read)::bigint as rows_in, sum(rows_clean)::bigint as rows_published,
    sum(rows_quarantined)::bigint as rows_quarantined, max(loaded_at) as newest_input_at
from marts.agg_{domain}_rows_by_file where loaded_at is not null group by all order by all
"""
_COSTS = """
select called_on as day, sum(cost_usd)::decimal(18, 6) as cost
from marts.agg_llm_cost_by_day group by all order by all
"""


def domains(settings: Settings) -> list[str]:
    """The domains that have published something."""
    folder = settings.published("any").parent
    names = (path.stem for path in folder.glob("[!.]*.duckdb"))
    return sorted(name for name in names if name not in PLATFORM)


def publications(settings: Settings, known: Iterable[tuple[str, datetime]]) -> list[dict[str, Any]]:
    """Describe the published versions that are not known yet.

    Args:
        settings: which data folder.
        known: domain and time (UTC) of each version that is.
    """
    known, found = set(known), []
    for domain in domains(settings):
        path = settings.published(domain)
        seen = path.stat()
        published_at = datetime.fromtimestamp(int(seen.st_mtime), UTC)
        if (domain, published_at) in known:
            continue
        with open_published(domain, settings) as published:
            accounted = next(_rows(published, _ACCOUNTED.format(domain=domain)))
            (rows,) = published.execute(_ROWS).fetchone()
        key = {"pipeline": domain, "published_at": published_at}
        found.append(key | {"bytes": seen.st_size, "rows_published": rows} | accounted)
    return found


def days(settings: Settings) -> list[dict[str, Any]]:
    """What became of the rows of each day's loads, by domain, as published now."""
    found = []
    for domain in domains(settings):
        with open_published(domain, settings) as published:
            found += [{"domain": domain, **row} for row in _rows(published, _DAYS.format(domain=domain))]
    return found


def costs(settings: Settings) -> list[dict[str, Any]]:
    """What models cost by day in US dollars, for the domains that publish it."""
    found = []
    for domain in domains(settings):
        with open_published(domain, settings) as published:
            if ("agg_llm_cost_by_day",) in published.execute(_TABLES).fetchall():
                found += [{"pipeline": domain, **row} for row in _rows(published, _COSTS)]
    return found


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> Iterator[dict[str, Any]]:
    found = connection.execute(query)
    names = [column[0] for column in found.description]
    for row in found.fetchall():
        values = dict(zip(names, row, strict=True))
        # Published times have no zone; they are in UTC.
        yield {
            name: value.replace(tzinfo=UTC) if isinstance(value, datetime) else value
            for name, value in values.items()
        }
