"""The verbs about metrics: what is defined, and the values of what is published."""

from datetime import datetime
from typing import Annotated

import typer

from cli.options import Json, answer, complete_domain, print_rows
from cli.options import domain as check_domain

PANEL = "Publish"

app = typer.Typer()


@app.command(rich_help_panel=PANEL)
def metrics(
    domain: Annotated[
        str | None,
        typer.Argument(
            metavar="[DOMAIN]",
            parser=check_domain,
            autocompletion=complete_domain,
            help="Default: all.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """List the metrics of dbt's semantic layer."""
    from dataclasses import asdict

    import settings as project_settings
    from publishing.metrics import current_metrics

    found = current_metrics(project_settings.load())
    shown = found.of(domain) if domain else [*found.all.values()]
    lines = [
        f"{metric.domain}  {metric.name}  by {', '.join([metric.grain, *metric.dimensions])}\n    {metric.description}"
        for metric in sorted(shown, key=lambda metric: metric.domain)
    ]
    answer([asdict(metric) for metric in shown], "\n".join(lines) or "no metric is defined", as_json=json)


@app.command(rich_help_panel=PANEL)
def metric(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Metrics of one domain.")],
    by: Annotated[list[str] | None, typer.Option(help="A dimension to split by; may be repeated.")] = None,
    grain: Annotated[
        str | None, typer.Option(help="The step of time: day, week, month, quarter or year.")
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="DIMENSION=VALUE", help="Only this value of a dimension; may be repeated."),
    ] = None,
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The first day.")] = None,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The last day.")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print the rows as CSV.")] = False,
    json: Json = False,
) -> None:
    """Print metrics of what is published, such as: sluice metric revenue orders --by category --grain month."""
    import duckdb

    import settings as project_settings
    from publishing.metrics import Question, values

    conditions = [text.partition("=") for text in where or ()]
    if wrong := [name for name, sign, _ in conditions if not sign]:
        raise typer.BadParameter(f"--where is DIMENSION=VALUE, such as category=Books; it is {wrong[0]!r}")
    question = Question(
        tuple(names),
        tuple(by or ()),
        grain,
        tuple((name, value) for name, _, value in conditions),
        since.date() if since else None,
        until.date() if until else None,
    )
    print_rows(duckdb.from_arrow(values(question, project_settings.load())), csv=csv, json=json)
