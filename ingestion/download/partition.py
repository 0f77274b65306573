"""Downloads the file of a month into the landing folder."""

from ingestion.download.download import Download, NotYetAvailableError, download
from ingestion.files.delivery import find_fault
from ingestion.files.landing import find_files
from ingestion.registry import check_partitions, file_resources_of, resources_of
from settings import Settings


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
    url = (settings.download_url(domain) or "").replace("{month}", month)
    offered = url.partition("?")[0].rpartition("/")[2]
    files = [path for path in find_files(resource, landing) if resource.partition_of(path.name) == month]
    existing = [path for path in files if not find_fault(path)]
    if url and {path.name for path in existing} <= {offered}:
        try:
            return download(url, landing)
        except NotYetAvailableError as error:
            if not existing:
                raise NothingToLoadError(str(error)) from error
    if not existing:
        variable = f"SLUICE_DOWNLOAD_URL_{domain.upper()}"
        raise NothingToLoadError(f"no file for {month} in landing/{domain}, and {variable} is not set")
    return Download(existing[0], "kept", existing[0].stat().st_size)
