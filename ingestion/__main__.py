"""`python -m ingestion <domain> [--entity …]`: load what is new in the domain's landing folder.

Exit status: 0 all files are loaded, 1 a file failed (the others are loaded), 2 nothing could be done.
"""

import argparse
import json
import sys

from ingestion.load import FilesFailedError, UnknownEntityError, describe, domains, load_domain
from ingestion.raw_store import LoadError
from ingestion.warehouse import WarehouseBusyError
from settings import SettingsError


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m ingestion", description=__doc__.split("\n")[0])
    parser.add_argument("domain", choices=domains())
    parser.add_argument(
        "--entity", nargs="+", action="extend", metavar="ENTITY", help="load these entities only"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    try:
        summary = load_domain(options.domain, entities=options.entity)
    except FilesFailedError as error:
        summary = error.summary
    except (SettingsError, UnknownEntityError, WarehouseBusyError, LoadError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(json.dumps(summary.to_dict()) if options.json else describe(summary))
    return 1 if summary.failed else 0


if __name__ == "__main__":
    sys.exit(main())
