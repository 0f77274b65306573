"""Gets a month's file from where it is offered into the landing folder; loading it is another step."""

from dataclasses import dataclass

from ingestion.download.download import NotYetAvailableError, download
from ingestion.files.landing import find_files
from ingestion.registry import check_partitions, resources_of
from settings import Settings


@dataclass(frozen=True)
class Fetched:
    """What became of a month: downloaded, unchanged (there and whole), or kept (nothing is offered anew).

    `name` is the file in the landing folder.
    """

    month: str
    status: str
    name: str


class NothingToLoadError(RuntimeError):
    """The month is not out yet, and no file of it is in the landing folder; the message says where was looked."""


def fetch(domain: str, month: str, settings: Settings) -> Fetched:
    """Make sure that the file of a month is in a domain's landing folder, whole.

    The URL is `settings.download_url(domain)` with the month filled in. Without one, and where the month has
    been delivered under another name, what is there is kept.

    Args:
        domain: one whose first feed has a file a month.
        month: as `2024-05`.
        settings: which data folder and environment.

    Raises:
        NothingToLoadError: there is no file of the month, here or there.
        UnknownPartitionError: that is no month, or the domain has no monthly files.
        DownloadError: the file could not be fetched; a file that was there stays.
    """
    feed = resources_of(domain)[0]
    check_partitions(feed, [month])
    landing = settings.landing(domain)
    landing.mkdir(parents=True, exist_ok=True)
    url = (settings.download_url(domain) or "").replace("{month}", month)
    offered = url.partition("?")[0].rpartition("/")[2]
    there = [path.name for path in find_files(feed, landing) if feed.partition_of(path.name) == month]
    if url and set(there) <= {offered}:
        try:
            done = download(url, landing)
        except NotYetAvailableError as error:
            if not there:
                raise NothingToLoadError(str(error)) from error
        else:
            return Fetched(month, done.status, done.path.name)
    if not there:
        raise NothingToLoadError(
            f"landing/{domain} has no file of {month}, and SLUICE_DOWNLOAD_URL_{domain.upper()} is not set"
        )
    return Fetched(month, "kept", there[0])
