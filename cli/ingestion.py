"""`python -m cli.ingestion <domain> [--entity …] [--month …] [--download]`: load what is new in its landing folder and APIs.

The name of one of several sources of a domain loads that source alone: `products` of `sales`.
Exit status: 0 everything is loaded, 1 a file or an API failed or is not out yet (the others are loaded), or something
is left for another run (a budget is used up), 2 nothing could be done.
"""

import argparse
import json
import sys

import settings as settings_module
from ingestion.download.download import DownloadError
from ingestion.download.partition import NothingToLoadError, fetch
from ingestion.files.file_resource import UnknownPartitionError
from ingestion.load import UnknownEntityError, load_domain
from ingestion.loader.pipeline import LoadError
from ingestion.registry import domains, feeds_of_source, source_names
from ingestion.results import FilesFailedError
from settings import Settings, SettingsError
from warehouse import WarehouseBusyError, WarehouseError


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m cli.ingestion", description=__doc__.split("\n")[0])
    parser.add_argument("domain", choices=sorted({*domains(), *source_names()}))
    parser.add_argument(
        "--entity", nargs="+", action="extend", metavar="ENTITY", help="load these entities only"
    )
    parser.add_argument(
        "--month", nargs="+", action="extend", metavar="YYYY-MM", help="load the files of these months only"
    )
    parser.add_argument(
        "--download",
        action="store_true",
        help="first fetch the files of these months that are out",
    )
    parser.add_argument(
        "--limit", type=_positive, metavar="N", help="take at most N records of an API, to try it"
    )
    parser.add_argument(
        "--refresh-enrichment",
        action="store_true",
        help="also judge articles again whose judgement came from another prompt or failed",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    if options.download and not options.month:
        parser.error("--download needs --month: which files to fetch")
    if options.domain not in domains():
        feeds = feeds_of_source(options.domain)
        options.domain, options.entity = feeds[0].domain, options.entity or [feed.entity for feed in feeds]
    missing = False
    try:
        settings = settings_module.load()
        if options.download:
            there = _download(options.domain, options.month, settings)
            missing = len(there) < len(options.month)
            options.month = there
        summary = load_domain(
            options.domain,
            settings,
            entities=options.entity,
            partitions=options.month,
            limit=options.limit,
            anew=options.refresh_enrichment,
        )
    except FilesFailedError as error:
        summary = error.summary
    except (
        SettingsError,
        UnknownEntityError,
        UnknownPartitionError,
        WarehouseBusyError,
        WarehouseError,
        LoadError,
    ) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(json.dumps(summary.to_dict()) if options.json else summary)
    # An entity that was asked for by name must be there; in a load of the whole domain it may come another time.
    left = bool(options.entity) and any(file.status == "deferred" for file in summary.results)
    return 1 if summary.failed or summary.partial or missing or left else 0


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, not {text!r}")
    return int(text)


def _download(domain: str, months: list[str], settings: Settings) -> list[str]:
    """Fetch the files of some months; returns those that are there now."""
    there = []
    for month in months:
        try:
            fetched = fetch(domain, month, settings)
        except (DownloadError, NothingToLoadError) as error:
            print(f"error: {month}: {error}", file=sys.stderr)
            continue
        print(f"{fetched.status:<9} {fetched.name}", file=sys.stderr)
        there.append(month)
    return there


if __name__ == "__main__":
    sys.exit(main())
