"""Reports for people: CSV files of published marts, one per mart and day.

A mart is a report if its YAML says so: `config: {meta: {report: {file: customer_summary, order_by: [customer_id]}}}`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

import settings as settings_module
from common.atomic_write import atomic_write
from publishing.errors import PublishError
from publishing.marts import SCHEMA, Mart, marts_of
from publishing.readers import NotPublishedError, open_published
from settings import Settings
from transformation.dbt import ensure_manifest
from warehouse import WarehouseError, quoted

FILE = re.compile(r"[A-Za-z0-9_-]+")


class ReportError(RuntimeError):
    """A report could not be written; the message names its file, which is as it was."""


class NothingPublishedError(ReportError):
    """There is nothing to report on; the message names the file that is missing."""


@dataclass(frozen=True)
class Report:
    """A mart as a CSV file, `<file>_<day>.csv`, ordered by some of its columns."""

    mart: str
    file: str
    order_by: Sequence[str]

    @property
    def query(self) -> str:
        order = f" order by {', '.join(map(quoted, self.order_by))}" if self.order_by else ""
        return f"select * from {SCHEMA}.{quoted(self.mart)}{order}"


def reports_of(domain: str, settings: Settings) -> list[Report]:
    """Return the reports that a domain declares in dbt.

    Raises:
        ReportError: a declaration is invalid.
    """
    try:
        marts = marts_of(domain, settings.manifest)
    except PublishError:
        return []
    return [_report(mart) for mart in marts.values() if "report" in mart.meta]


def _report(mart: Mart) -> Report:
    match mart.meta["report"]:
        case {"file": str(file), "order_by": list(columns), **others} if FILE.fullmatch(file) and not others:
            return Report(mart.name, file, columns)
    raise ReportError(
        f"config.meta.report of the model {mart.name} must be {{file: <name>, order_by: [<column>, …]}}, where the name"
        f" has letters, digits, - and _ only; it is {mart.meta['report']}"
    )


def write_reports(domain: str, settings: Settings | None = None, *, day: date | None = None) -> list[Path]:
    """Write a domain's reports from its published marts to `reports/<domain>/<file>_<day>.csv`.

    Each file is written whole or not at all, and replaced by a second run on the same day. All show the same
    published version, even if another one is published meanwhile. The day is today in UTC by default.

    Raises:
        NothingPublishedError: the domain has not been published.
        ReportError: a declaration is invalid, or a file could not be written; those before it are.
        DbtError: dbt refuses the project.
    """
    settings = settings or settings_module.load()
    ensure_manifest(settings)
    reports = reports_of(domain, settings)
    if not reports:
        return []
    day = day or datetime.now(UTC).date()
    targets = [settings.reports(domain) / f"{report.file}_{day:%Y-%m-%d}.csv" for report in reports]
    try:
        with open_published(domain, settings) as published:
            for report, target in zip(reports, targets, strict=True):
                try:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with atomic_write(target) as candidate:
                        rows = published.sql(report.query)
                        rows.write_csv(str(candidate), header=True, use_tmp_file=False)
                except (OSError, duckdb.Error, WarehouseError) as error:
                    raise ReportError(f"{target} could not be written: {error}") from error
    except NotPublishedError as error:
        raise NothingPublishedError(str(error)) from error
    return targets
