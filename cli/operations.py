"""`python -m cli.operations <verb> [<domain>]`: what the tasks of DAGs do, from a shell.

Exit status: 0 done, 1 a step failed but the marts are published, or targets differ, 2 nothing was published or the command could not be carried out. For `notify`: 1 the message could not be sent in one of
the ways that are configured, 2 there is nothing to send or no way is configured.
"""

import argparse
import json
import logging
import sys
from datetime import date
from pathlib import Path
from typing import Any

import settings as settings_module
from ingestion.files.archive import ArchiveError, Packed, archive, restore
from ingestion.loader.pipeline import LoadError
from ingestion.registry import UnknownDomainError, domains
from ingestion.results import FilesFailedError
from observability.health.collect import health, overview
from observability.metrics.ops_store import MetricsError
from observability.metrics.record import last_outcome
from observability.metrics.summary import collect
from observability.notify import message_of, send, trial_message
from orchestration.run import Run, run_domain
from publishing.errors import PublishError
from publishing.manage import diff, prune, rollback, versions
from publishing.preview import PreviewError, previews
from publishing.preview import describe as describe_canary
from publishing.promote import promote
from publishing.publish import Publication, publish
from publishing.reports import NothingPublishedError, ReportError, write_reports
from publishing.store import store_of
from publishing.versions import KEEP
from quality.engine_diff import EngineDiffError, compare_targets
from quality.engine_diff import describe as describe_parity
from quality.quarantine import QuarantineError, quarantine
from quality.quarantine import describe as describe_list
from settings import Settings, SettingsError
from transformation.dbt import DbtError
from warehouse import WarehouseBusyError, WarehouseError


class NotSentError(RuntimeError):
    """A message could not be sent in one of the ways; the error says which and why."""


class TargetsDifferError(RuntimeError):
    """Two targets do not make the same marts; for machines and for people."""


class PartialRunError(RuntimeError):
    """The marts are published, and a step failed that they do not need; for machines and for people."""


class NoRecipientsError(RuntimeError):
    """There is no run to report, or no way of sending messages is configured."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    options = _parser().parse_args(arguments)
    status = 0
    try:
        for_machines, for_people = options.run(options, settings_module.load())
    except (PartialRunError, TargetsDifferError) as error:
        (for_machines, for_people), status = error.args, 1
    except NothingPublishedError as error:
        return _fail(error, 2)
    except (ReportError, NotSentError) as error:
        return _fail(error, 1)
    except (
        SettingsError,
        FilesFailedError,
        UnknownDomainError,
        WarehouseBusyError,
        WarehouseError,
        LoadError,
        DbtError,
        PublishError,
        QuarantineError,
        PreviewError,
        EngineDiffError,
        NoRecipientsError,
        ArchiveError,
        MetricsError,
    ) as error:
        return _fail(error, 2)
    print(json.dumps(for_machines) if options.json else for_people)
    return status


def _elt(options: argparse.Namespace, settings: Settings) -> tuple[Any, str]:
    logging.basicConfig(format="%(message)s")
    logging.getLogger("orchestration").setLevel(logging.INFO)
    run = Run(
        options.domain,
        settings,
        full_refresh=options.full_refresh,
        rebuild_months=options.rebuild_months,
        force_publish=options.force_publish,
    )
    publication = run_domain(run)
    counts = collect(options.domain, settings)
    print("  ".join(f"{name.removeprefix('rows_')} {count:,}" for name, count in counts.items()))
    if run.failed:
        raise PartialRunError(publication.to_dict(), _describe(publication))
    return publication.to_dict(), _describe(publication)


def _publish(options: argparse.Namespace, settings: Settings) -> tuple[Any, str]:
    publication = publish(options.domain, settings, accept=options.force_publish)
    return publication.to_dict(), _describe(publication)


def _quarantine(options: argparse.Namespace, settings: Settings) -> tuple[Any, str]:
    found = quarantine(options.domain, settings, export=options.export)
    return found.to_dict(), describe_list(found, settings)


def _reports(options: argparse.Namespace, settings: Settings) -> tuple[Any, str]:
    paths = [str(path) for path in write_reports(options.domain, settings)]
    described = "\n".join(paths) or f"{options.domain} has no reports"
    return {"domain": options.domain, "reports": paths}, described


def _versions(options: argparse.Namespace, settings: Settings) -> tuple[Any, str]:
    found = versions(options.domain, settings)
    return found.to_dict(), str(found)


def _rollback(options: argparse.Namespace, settings: Settings) -> tuple[Any, str]:
    name = rollback(options.domain, options.version, settings)
    return {
        "domain": options.domain,
        "version": name,
    }, f"{store_of(options.domain, settings).location} is {name}"


def _diff(options: argparse.Namespace, settings: Settings) -> tuple[Any, str]:
    compared = diff(options.domain, options.before, options.after, settings)
    return compared.to_dict(), compared.markdown().rstrip()


def _prune(options: argparse.Namespace, settings: Settings) -> tuple[Any, str]:
    gone = prune(options.domain, options.keep, settings)
    return {"domain": options.domain, "removed": gone}, "\n".join(
        f"removed {name}" for name in gone
    ) or "nothing to remove"


def _promote(options: argparse.Namespace, _: Settings) -> tuple[Any, str]:
    source, target = (settings_module.load(env) for env in (options.source, options.target))
    name, compared = promote(
        options.domain, source, target, version=options.version, accept=options.force_publish
    )
    described = f"{target.published(options.domain)} is {name}, as in {source.env}"
    return compared.to_dict(), "\n".join([described, *([compared.table()] if compared.differences else [])])


def _canary(options: argparse.Namespace, settings: Settings) -> tuple[Any, str]:
    found = previews(options.domain, settings)
    return [each.to_dict() for each in found], describe_canary(found)


def _parity(options: argparse.Namespace, settings: Settings) -> tuple[Any, str]:
    found = compare_targets(options.domains, options.targets, settings)
    said = [each.to_dict() for each in found], describe_parity(found)
    if not all(each.is_equal for each in found):
        raise TargetsDifferError(*said)
    return said


def _notify(options: argparse.Namespace, settings: Settings) -> tuple[Any, str]:
    last = None if options.test else last_outcome(options.domain, settings)
    if last is None and not options.test:
        raise NoRecipientsError(f"no run of {options.domain} is recorded; send a test: --test")
    message = message_of(last, settings) if last else trial_message(options.domain, settings)
    sent = send(message, settings)
    if sent.failed:
        raise NotSentError(str(sent))
    if not sent.ways:
        raise NoRecipientsError(
            "set SLUICE_NOTIFY_EMAIL_TO and SLUICE_SMTP_HOST, or SLUICE_NOTIFY_WEBHOOK_URL"
        )
    return {"domain": options.domain, "ways": sent.ways, "text": message.text}, f"{sent}\n{message.text}"


def _archive(options: argparse.Namespace, settings: Settings) -> tuple[Any, str]:
    packs = archive(options.domain, settings, before=options.before)
    return _packs(
        options, packs, "packed", f"{options.domain} has no files that were loaded before {options.before}"
    )


def _restore(options: argparse.Namespace, settings: Settings) -> tuple[Any, str]:
    packs = restore(options.domain, settings, day=options.date)
    return _packs(options, packs, "restored", f"{options.domain} has no packs")


def _packs(options: argparse.Namespace, packs: list[Packed], done: str, none: str) -> tuple[Any, str]:
    described = "\n".join(f"{done} {len(pack.files)} files of {pack.day}: {pack.path}" for pack in packs)
    return {"domain": options.domain, "packs": [pack.to_dict() for pack in packs]}, described or none


def _health(options: argparse.Namespace, settings: Settings) -> tuple[Any, str]:
    collected, publication, told = health(settings)
    lines = [f"collected {', '.join(f'{count:,} {name}' for name, count in collected.rows.items())}"]
    if collected.without_airflow:
        lines.append(f"Airflow was not asked: {collected.without_airflow}")
    lines += [f"left out: {reason}" for reason in collected.unread.values()]
    lines.append(_describe(publication))
    lines += [
        f"{'alert' if each.begins else 'over'}: {each.pipeline}: {each.says} ({each.sent})" for each in told
    ]
    for_machines = collected.to_dict() | {"told": [each.to_dict() for each in told]}
    return publication.to_dict() | for_machines, "\n".join(lines)


def _overview(options: argparse.Namespace, settings: Settings) -> tuple[Any, str]:
    publication = overview(settings)
    return publication.to_dict(), _describe(publication)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cli.operations", description=__doc__.split("\n")[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    commands = {}
    for verb, (run, purpose) in {
        "publish": (_publish, "publish a domain's marts"),
        "elt": (_elt, "ingest, build, test and publish"),
        "quarantine": (_quarantine, "list the rows and lines that wait for correction"),
        "archive": (_archive, "pack loaded files that were moved to the archive"),
        "restore": (_restore, "bring packed files back into the archive's folders"),
        "notify": (_notify, "send the message of a domain's last run again, or a test"),
        "reports": (_reports, "write a domain's reports from its published marts"),
        "versions": (_versions, "list the versions of a domain's published marts"),
        "rollback": (_rollback, "let readers see an earlier version"),
        "diff": (_diff, "compare two versions"),
        "prune": (_prune, "remove old versions"),
        "promote": (_promote, "publish in one environment what is published in another"),
        "preview": (
            _canary,
            "build what a change of the models touches, and compare it with what is published",
        ),
        "health": (_health, "collect how the pipelines are, publish it, and tell people of alerts"),
        "overview": (_overview, "publish what all domains have in common, from what they publish"),
    }.items():
        command = commands[verb] = verbs.add_parser(verb, help=purpose)
        command.set_defaults(run=run)
        command.add_argument("--json", action="store_true", help="print the result as JSON, on one line")
        if verb not in ("preview", "health", "overview"):
            command.add_argument("domain", choices=domains())
    command = verbs.add_parser(
        "parity", help="build domains on several targets, and compare what they publish"
    )
    command.set_defaults(run=_parity)
    command.add_argument(
        "--targets", type=_listed, required=True, metavar="ONE,OTHER,…", help="such as duckdb,postgres"
    )
    command.add_argument(
        "--domains", type=_domains, default=domains(), metavar="DOMAIN,…", help="all by default"
    )
    command.add_argument("--json", action="store_true", help="print the result as JSON, on one line")
    for verb in ("publish", "elt", "promote"):
        commands[verb].add_argument(
            "--force-publish",
            action="store_true",
            help="publish whatever is in quarantine and however much differs",
        )
    commands["elt"].add_argument("--full-refresh", action="store_true", help="build incremental models anew")
    commands["elt"].add_argument(
        "--rebuild-months", default="", help="months to build anew: 2022 or 2022-04, comma separated"
    )
    commands["archive"].add_argument(
        "--before",
        type=date.fromisoformat,
        required=True,
        metavar="YYYY-MM-DD",
        help="pack what was loaded before this day",
    )
    commands["restore"].add_argument(
        "--date", type=date.fromisoformat, metavar="YYYY-MM-DD", help="what was loaded on this day; else all"
    )
    commands["notify"].add_argument("--test", action="store_true", help="send a test message")
    commands["quarantine"].add_argument(
        "--export", type=Path, metavar="FILE.csv", help="write the list to this file, to be corrected"
    )
    for verb, name in (("rollback", "version"), ("diff", "before"), ("diff", "after")):
        commands[verb].add_argument(
            name, nargs="?" if verb == "rollback" else None, help="its name, or the beginning of it"
        )
    # A type and no `choices`, which would refuse an empty list.
    commands["preview"].add_argument(
        "domain", nargs="*", type=_domain, help="defaults to all that are published"
    )
    commands["prune"].add_argument("--keep", type=int, default=KEEP, help=f"how many, {KEEP} by default")
    commands["promote"].add_argument("version", nargs="?", help="defaults to the one in use")
    commands["promote"].add_argument("--from", dest="source", required=True, metavar="ENVIRONMENT")
    commands["promote"].add_argument("--to", dest="target", required=True, metavar="ENVIRONMENT")
    return parser


def _listed(text: str) -> list[str]:
    return [part for part in text.split(",") if part]


def _domains(text: str) -> list[str]:
    return [_domain(part) for part in _listed(text)]


def _domain(text: str) -> str:
    if text not in domains():
        raise argparse.ArgumentTypeError(f"there is no domain {text}; there are {', '.join(domains())}")
    return text


def _describe(publication: Publication) -> str:
    lines = [f"published {publication.path}"]
    lines += [f"  {table:<32}{rows:>12,} rows" for table, rows in publication.rows.items()]
    if publication.comparison.differences:
        lines += [f"differs from {publication.comparison.before}:", publication.comparison.table()]
    lines += [f"accepted: {accepted}" for accepted in publication.accepted]
    return "\n".join(lines)


def _fail(error: Exception, status: int) -> int:
    print(f"error: {error}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
