"""`python -m operations <verb> <domain>`: what a DAG's tasks do, from a shell.

Exit status: 0 done, 1 an input file failed, or a report could not be written (the marts are published),
2 nothing was published, or what was asked for could not be done.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import settings as settings_module
from ingestion.load import FilesFailedError, UnknownDomainError, domains
from ingestion.raw_store import LoadError
from ingestion.warehouse import WarehouseBusyError
from operations.dbt import DbtError
from operations.elt import elt
from operations.publish import Publication, PublishError, publish
from operations.quarantine import QuarantineError, quarantine
from operations.quarantine import describe as describe_list
from operations.reports import NothingPublishedError, ReportError, write_reports
from operations.summary import collect
from settings import Settings, SettingsError


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        for_machines, for_people = options.run(options, settings_module.load())
    except NothingPublishedError as error:
        return _fail(error, 2)
    except (FilesFailedError, ReportError) as error:
        return _fail(error, 1)
    except (
        SettingsError,
        UnknownDomainError,
        WarehouseBusyError,
        LoadError,
        DbtError,
        PublishError,
        QuarantineError,
    ) as error:
        return _fail(error, 2)
    print(json.dumps(for_machines) if options.json else for_people)
    return 0


def _elt(options: argparse.Namespace, settings: Settings) -> tuple[Any, str]:
    publication = elt(
        options.domain,
        settings,
        full_refresh=options.full_refresh,
        rebuild=options.rebuild,
        accept_quarantine=options.accept_quarantine,
    )
    counts = collect(options.domain, settings)
    print("  ".join(f"{name.removeprefix('rows_')} {count:,}" for name, count in counts.items()))
    return publication.to_dict(), _describe(publication)


def _publish(options: argparse.Namespace, settings: Settings) -> tuple[Any, str]:
    publication = publish(options.domain, settings, accept_quarantine=options.accept_quarantine)
    return publication.to_dict(), _describe(publication)


def _quarantine(options: argparse.Namespace, settings: Settings) -> tuple[Any, str]:
    found = quarantine(options.domain, settings, export=options.export)
    return found.to_dict(), describe_list(found, settings)


def _reports(options: argparse.Namespace, settings: Settings) -> tuple[Any, str]:
    paths = [str(path) for path in write_reports(options.domain, settings)]
    described = "\n".join(paths) or f"{options.domain} has no reports"
    return {"domain": options.domain, "reports": paths}, described


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m operations", description=__doc__.split("\n")[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    commands = {}
    for verb, (run, purpose) in {
        "publish": (_publish, "publish a domain's marts"),
        "elt": (_elt, "ingest, build, test and publish"),
        "quarantine": (_quarantine, "list the rows and lines that wait for correction"),
        "reports": (_reports, "write a domain's reports from its published marts"),
    }.items():
        command = commands[verb] = verbs.add_parser(verb, help=purpose)
        command.set_defaults(run=run)
        command.add_argument("domain", choices=domains())
        command.add_argument("--json", action="store_true", help="print the result as JSON, on one line")
    for verb in ("publish", "elt"):
        commands[verb].add_argument(
            "--accept-quarantine", action="store_true", help="publish however many rows are in quarantine"
        )
    commands["elt"].add_argument("--full-refresh", action="store_true", help="build incremental models anew")
    commands["elt"].add_argument(
        "--rebuild", default="", help="months to build anew: 2022 or 2022-04, comma separated"
    )
    commands["quarantine"].add_argument(
        "--export", type=Path, metavar="FILE.csv", help="write the list to this file, to be corrected"
    )
    return parser


def _describe(publication: Publication) -> str:
    lines = [f"published {publication.path}"]
    lines += [f"  {table:<32}{rows:>12,} rows" for table, rows in publication.rows.items()]
    found = publication.quarantine
    if found.accepted:
        lines.append(
            f"accepted: {found.rows_quarantined:,} of {found.rows_read:,} rows read are in quarantine, "
            f"{found.share:.2%}, and the limit is {found.limit:.2%}"
        )
    return "\n".join(lines)


def _fail(error: Exception, status: int) -> int:
    print(f"error: {error}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
