"""Reports for people: CSV files of published marts, one per mart and day.

A mart is a report if its YAML says so: `config: {meta: {report: {file: customer_summary, order_by: [customer_id]}}}`.
"""

from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

import settings as settings_module
from common.atomic_write import atomic_write
from common.spreadsheet import without_formula_sql
from publishing.marts import SCHEMA
from publishing.readers import NotPublishedError, open_published
from publishing.store import store_of
from settings import Settings
from transformation.dbt import ensure_manifest
from transformation.manifest import ManifestError, read_manifest
from warehouse import WarehouseError, quoted


class ReportError(RuntimeError):
    """A report could not be written; the message names its file, which is as it was."""


class NothingPublishedError(ReportError):
    """There is nothing to report on; the message names the file that is missing."""


def write_reports(domain: str, settings: Settings | None = None, *, day: date | None = None) -> list[Path]:
    """Write a domain's reports from its published marts to `reports/<domain>/<file>_<day>.csv`.

    Each file is written whole or not at all, and replaced by a second run on the same day. All show the same
    published version, even if another one is published meanwhile. The day is today in UTC by default. A text that a
    spreadsheet program would run as a formula gets an apostrophe before it.

    Raises:
        NothingPublishedError: the domain has not been published.
        ReportError: a declaration is invalid, or a file could not be written; those before it were.
        DbtError: dbt refuses the project.
    """
    settings = settings or settings_module.load()
    ensure_manifest(settings)
    try:
        reports = read_manifest(settings.manifest).reports(domain)
    except ManifestError as error:
        raise ReportError(str(error)) from error
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
                        order = ", ".join(map(quoted, report.order_by))
                        rows = published.sql(f"from {SCHEMA}.{quoted(report.mart)} order by {order}")
                        _for_spreadsheets(rows).write_csv(str(candidate), header=True, use_tmp_file=False)
                except (OSError, duckdb.Error, WarehouseError) as error:
                    raise ReportError(f"{target} could not be written: {error}") from error
    except NotPublishedError as error:
        raise NothingPublishedError(str(error)) from error
    return targets


def are_written(domain: str, settings: Settings) -> bool:
    """Return whether each report of a domain was written since the newest version was made."""
    versions = store_of(domain, settings).versions()
    made_at = datetime.fromisoformat(versions[-1].facts["made_at"]).timestamp() if versions else 0.0
    reports = read_manifest(settings.manifest).reports(domain)
    files = (settings.reports(domain).glob(f"{report.file}_????-??-??.csv") for report in reports)
    return all(any(file.stat().st_mtime >= made_at for file in found) for found in files)


def _for_spreadsheets(rows: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    columns = (
        f"{without_formula_sql(quoted(name))} as {quoted(name)}" if kind == "VARCHAR" else quoted(name)
        for name, kind in zip(rows.columns, rows.types, strict=True)
    )
    return rows.project(", ".join(columns))
