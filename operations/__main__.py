"""`python -m operations <verb> <domain>`: what a DAG's tasks do, from a shell.

Exit status: 0 done, 1 an input file failed, 2 nothing was published.
"""

import argparse
import json
import sys

import settings as settings_module
from ingestion.load import FilesFailedError, UnknownDomainError
from ingestion.raw_store import LoadError
from ingestion.warehouse import WarehouseBusyError
from operations.dbt import DbtError
from operations.elt import elt
from operations.publish import Publication, PublishError, publish
from operations.summary import collect
from settings import SettingsError


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        settings = settings_module.load()
        if options.verb == "elt":
            publication = elt(
                options.domain, settings, full_refresh=options.full_refresh, rebuild=options.rebuild
            )
            counts = collect(options.domain, settings)
            print("  ".join(f"{name.removeprefix('rows_')} {count:,}" for name, count in counts.items()))
        else:
            publication = publish(options.domain, settings)
    except FilesFailedError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except (
        SettingsError,
        UnknownDomainError,
        WarehouseBusyError,
        LoadError,
        DbtError,
        PublishError,
    ) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(json.dumps(publication.to_dict()) if options.json else _describe(publication))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m operations")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, purpose in {
        "publish": "publish a domain's marts",
        "elt": "ingest, build, test and publish",
    }.items():
        command = verbs.add_parser(verb, help=purpose)
        command.add_argument("domain")
        command.add_argument("--json", action="store_true", help="print one JSON object")
    command.add_argument("--full-refresh", action="store_true", help="build incremental models anew")
    command.add_argument(
        "--rebuild", default="", help="months to build anew: 2022 or 2022-04, comma separated"
    )
    return parser


def _describe(publication: Publication) -> str:
    tables = "\n".join(f"  {table:<32}{rows:>12,} rows" for table, rows in publication.rows.items())
    return f"published {publication.path}\n{tables}"


if __name__ == "__main__":
    sys.exit(main())
