"""Reports for people: CSV files made of a domain's published marts, one of each a day."""

from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

import settings as settings_module
from common.atomic_write import atomic_write
from publishing.readers import NotPublishedError, open_published
from settings import Settings
from warehouse import WarehouseError

# Domain → name of the report → what is in it, in order.
REPORTS = {
    "ecommerce": {
        "daily_order_revenue": "select * from marts.agg_daily_order_revenue order by order_date, category",
        "customer_summary": "select * from marts.agg_customer_summary order by customer_id",
    },
}


class ReportError(RuntimeError):
    """A report could not be written; the message names its file, which is as it was."""


class NothingPublishedError(ReportError):
    """There is nothing to report on; the message names the file that is missing."""


def write_reports(domain: str, settings: Settings | None = None, *, day: date | None = None) -> list[Path]:
    """Write a domain's reports from its published marts, `reports/<domain>/<report>_<day>.csv`.

    Each file is written whole or not at all, and written anew by a second run on the same day. All
    show the same published version, even if another is published meanwhile.

    Args:
        domain: the domain, as in `REPORTS`.
        settings: defaults to those of the environment.
        day: the day in the files' names; defaults to today in UTC.

    Returns:
        The files; none if no report is declared for the domain.

    Raises:
        NothingPublishedError: the domain has not been published.
        ReportError: a file could not be written; those before it are.
    """
    reports = REPORTS.get(domain, {})
    if not reports:
        return []
    settings = settings or settings_module.load()
    day = day or datetime.now(UTC).date()
    targets = {name: settings.reports(domain) / f"{name}_{day:%Y-%m-%d}.csv" for name in reports}
    try:
        with open_published(domain, settings) as published:
            for name, target in targets.items():
                try:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with atomic_write(target) as candidate:
                        rows = published.sql(reports[name])
                        rows.write_csv(str(candidate), header=True, use_tmp_file=False)
                except (OSError, duckdb.Error, WarehouseError) as error:
                    raise ReportError(f"{target} could not be written: {error}") from error
    except NotPublishedError as error:
        raise NothingPublishedError(str(error)) from error
    return list(targets.values())
