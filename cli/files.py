"""The verbs about files beside the warehouse: the archive of loaded files, and reports."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import PARTIAL, Domain, Json, answer, report_error

if TYPE_CHECKING:
    from ingestion.files.archive import Packed

PANEL = "Files"
DAY = {"formats": ["%Y-%m-%d"], "metavar": "YYYY-MM-DD", "show_default": False}

app = typer.Typer()


@app.command(rich_help_panel=PANEL)
def archive(
    domain: Domain,
    before: Annotated[datetime, typer.Option(**DAY, help="Pack what was loaded before this day.")],
    json: Json = False,
) -> None:
    """Pack loaded files that were moved to the archive."""
    import settings as project_settings
    from ingestion.files.archive import archive

    packs = archive(domain, project_settings.load(), before=before.date())
    text = _describe("packed", packs) or f"{domain} has no files that were loaded before {before:%Y-%m-%d}"
    answer({"domain": domain, "packs": [pack.to_dict() for pack in packs]}, text, as_json=json)


@app.command(rich_help_panel=PANEL)
def restore(
    domain: Domain,
    date: Annotated[
        datetime | None, typer.Option(**DAY, help="Restore what was loaded on this day. Default: all.")
    ] = None,
    json: Json = False,
) -> None:
    """Restore packed files to the folders of the archive."""
    import settings as project_settings
    from ingestion.files.archive import restore

    packs = restore(domain, project_settings.load(), day=date and date.date())
    text = _describe("restored", packs) or f"{domain} has no packs"
    answer({"domain": domain, "packs": [pack.to_dict() for pack in packs]}, text, as_json=json)


@app.command(rich_help_panel=PANEL)
def reports(domain: Domain, json: Json = False) -> None:
    """Write the reports of a domain from its published marts.

    Exit status: 0 success, 1 a report could not be written, 2 nothing is published.
    """
    import settings as project_settings
    from publishing.reports import NothingPublishedError, ReportError, write_reports

    try:
        paths = [str(path) for path in write_reports(domain, project_settings.load())]
    except NothingPublishedError:
        raise
    except ReportError as error:
        report_error(str(error))
        raise typer.Exit(PARTIAL) from error
    text = "\n".join(paths) or f"{domain} has no reports"
    answer({"domain": domain, "reports": paths}, text, as_json=json)


@app.command(rich_help_panel=PANEL)
def housekeeping(
    log_days: Annotated[
        int | None, typer.Option(min=1, help="Days that logs are kept. Default: 30.", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """Remove old logs and versions, and give back what is free in the warehouse file."""
    import settings as project_settings
    from orchestration.housekeeping import LOG_DAYS, clean_up

    cleaned = clean_up(project_settings.load(), log_days=log_days or LOG_DAYS)
    answer(cleaned.to_dict(), str(cleaned), as_json=json)


def _describe(done: str, packs: Sequence["Packed"]) -> str:
    return "\n".join(f"{done} {len(pack.files)} files of {pack.day}: {pack.path}" for pack in packs)
