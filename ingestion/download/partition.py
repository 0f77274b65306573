"""Downloads the files of months into the landing folder."""

import logging
from datetime import date
from pathlib import Path

from ingestion.download.download import Download, DownloadError, NotYetAvailableError, download, has_changed
from ingestion.files.delivery import find_fault
from ingestion.files.file_resource import FileResource
from ingestion.files.landing import find_files
from ingestion.registry import check_partitions, file_resources_of, resources_of
from settings import Settings
from warehouse import read_connection, warehouse_exists

log = logging.getLogger(__name__)


class NothingToLoadError(RuntimeError):
    """The month is not available yet, and no file of it is in the landing folder; the message says where."""


def download_partition(domain: str, month: str, settings: Settings) -> Download:
    """Make sure that the complete file of a month is in a domain's landing folder.

    The URL is `settings.download_url(domain)` with the month filled in. Without one, or if the month was delivered under
    another name, the file in the landing folder is kept.

    Args:
        domain: one whose first resource has a file per month.
        month: as `2024-05`.
        settings: data folder and environment.

    Raises:
        NothingToLoadError: the month has no file, neither at the URL nor in the landing folder.
        UnknownPartitionError: that is not a month, or the domain has no monthly files.
        DownloadError: the file could not be downloaded; an existing file stays.
    """
    check_partitions(resources_of(domain)[0], [month])
    resource = file_resources_of(domain)[0]
    landing = settings.landing(domain)
    landing.mkdir(parents=True, exist_ok=True)
    url, offered = _address(domain, month, settings)
    existing = _files(resource, landing).get(month, [])
    if url and {path.name for path in existing} <= {offered}:
        try:
            return download(url, landing)
        except NotYetAvailableError as error:
            if not existing:
                raise NothingToLoadError(f"the month is not available yet: {error}") from error
    if not existing:
        variable = f"SLUICE_DOWNLOAD_URL_{domain.upper()}"
        raise NothingToLoadError(f"no file for {month} in landing/{domain}, and {variable} is not set")
    return Download(existing[0], "kept", existing[0].stat().st_size)


def months_to_load(domain: str, first: date, last: str, settings: Settings) -> list[str]:
    """Return the months for a scheduled run: those that are missing, not loaded, or changed on the server.

    Args:
        domain: one whose first resource has a file per month.
        first: a day of the first month.
        last: the last month, which is always among them.
        settings: data folder and environment.

    Raises:
        WarehouseBusyError: another process kept the warehouse.
    """
    resource = file_resources_of(domain)[0]
    landing = settings.landing(domain)
    files = _files(resource, landing) if landing.exists() else {}
    loaded = _loaded(resource, settings)
    asks = True
    found = []
    for month in _months(first, last):
        url, offered = _address(domain, month, settings)
        existing = files.get(month, [])
        if not existing:
            is_due = bool(url)
        elif any((path.name, path.stat().st_size) not in loaded for path in existing):
            is_due = True
        else:
            is_due = False
            if asks and url and {path.name for path in existing} == {offered}:
                try:
                    is_due = has_changed(url, landing)
                except DownloadError as error:
                    log.warning("no further month is compared with the server: %s", error)
                    asks = False
        if is_due or month == last:
            found.append(month)
    return found


def _address(domain: str, month: str, settings: Settings) -> tuple[str, str]:
    """Return the URL of a month's file and the name of the file; both empty if no URL is set."""
    url = (settings.download_url(domain) or "").replace("{month}", month)
    return url, url.partition("?")[0].rpartition("/")[2]


def _files(resource: FileResource, landing: Path) -> dict[str, list[Path]]:
    """Return the files of each month in a landing folder that can be read."""
    found: dict[str, list[Path]] = {}
    for path in find_files(resource, landing):
        if (month := resource.partition_of(path.name)) and not find_fault(path):
            found.setdefault(month, []).append(path)
    return found


def _loaded(resource: FileResource, settings: Settings) -> set[tuple[str, int]]:
    """Return names and sizes of the files that are loaded."""
    if not warehouse_exists(settings):
        return set()
    schema = f"raw_{resource.domain}"
    with read_connection(settings) as warehouse:
        if not warehouse.columns(schema, "_dlt_loads"):
            return set()
        return set(
            warehouse.execute(
                f"""
                select source_file, bytes from {schema}.file_loads
                where entity = ? and status = 'loaded'
                    and _dlt_load_id in (select load_id from {schema}._dlt_loads where status = 0)
                """,
                [resource.entity],
            ).fetchall()
        )


def _months(first: date, last: str) -> list[str]:
    """Return the months from that of a day on; only the last one if it is earlier."""
    months, month = [], first.replace(day=1)
    while (text := f"{month:%Y-%m}") <= last:
        months.append(text)
        month = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    return months or [last]
