"""The verbs about the quality of the data: quarantine, and the comparison of targets."""

from pathlib import Path
from typing import Annotated, get_args

import typer

from cli.options import PARTIAL, Domain, Json, answer, known, listed
from cli.options import domain as check_domain
from cli.options import domains as all_domains

PANEL = "Quality"

app = typer.Typer()


@app.command(rich_help_panel=PANEL)
def quarantine(
    domain: Domain,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Write the rows to this file, to be corrected.")
    ] = None,
    json: Json = False,
) -> None:
    """Count the rows in quarantine and the rejected lines, by rule and by file."""
    import settings as project_settings
    from quality.quarantine import describe, quarantine

    settings = project_settings.load()
    found = quarantine(domain, settings, export=export)
    answer(found.to_dict(), describe(found, settings), as_json=json)


def _targets(text: str) -> str:
    from settings.environments import Target

    return ",".join(known(target, get_args(Target), "target") for target in listed(text))


def _domains(text: str) -> str:
    return ",".join(map(check_domain, listed(text)))


@app.command(rich_help_panel=PANEL)
def compare_targets(
    targets: Annotated[
        str,
        typer.Option(
            metavar="ONE,OTHER,…", parser=_targets, help="Such as duckdb,postgres.", show_default=False
        ),
    ],
    domains: Annotated[
        str,
        typer.Option(metavar="DOMAIN,…", parser=_domains, help="Default: all.", show_default=False),
    ] = "",
    json: Json = False,
) -> None:
    """Build domains on several targets, and compare what they publish.

    Exit status: 0 the targets agree, 1 they differ, 2 a target could not be built.
    """
    import settings as project_settings
    from quality.engine_diff import compare_targets as compare
    from quality.engine_diff import describe

    found = compare(listed(domains) or all_domains(), listed(targets), project_settings.load())
    answer([each.to_dict() for each in found], describe(found), as_json=json)
    if not all(each.is_equal for each in found):
        raise typer.Exit(PARTIAL)
