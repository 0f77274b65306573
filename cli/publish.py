"""The verbs about what is published: the gate, versions, promotion and previews."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import Domain, ForcePublish, Json, Reason, answer, complete_domain, print_rows
from cli.options import domain as check_domain

if TYPE_CHECKING:
    from publishing.publish import Publication

PANEL = "Publish"
Version = Annotated[str, typer.Argument(metavar="VERSION", help="Its name, or the beginning of it.")]

app = typer.Typer()


def describe(publication: "Publication") -> str:
    """Return what was published, for people."""
    lines = [f"published {publication.path}"]
    lines += [f"  {table:<32}{rows:>12,} rows" for table, rows in publication.rows.items()]
    if publication.comparison.differences:
        lines += [f"differs from {publication.comparison.before}:", publication.comparison.table()]
    lines += [f"unusual: {each}" for each in publication.unusual]
    lines += [f"accepted: {accepted}" for accepted in publication.accepted]
    return "\n".join(lines)


@app.command(rich_help_panel=PANEL)
def publish(
    domain: Domain, force_publish: ForcePublish = False, reason: Reason = "", json: Json = False
) -> None:
    """Publish the marts that are built, if the gate lets them pass."""
    import settings as project_settings
    from publishing.publish import publish

    publication = publish(domain, project_settings.load(), accept=force_publish, reason=reason)
    answer(publication.to_dict(), describe(publication), as_json=json)


@app.command(rich_help_panel=PANEL)
def versions(domain: Domain, json: Json = False) -> None:
    """List the versions of the published marts."""
    import settings as project_settings
    from publishing.manage import versions

    found = versions(domain, project_settings.load())
    answer(found.to_dict(), str(found), as_json=json)


@app.command(rich_help_panel=PANEL)
def rollback(
    domain: Domain,
    version: Annotated[
        str | None, typer.Argument(metavar="[VERSION]", help="Default: the previous one.", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """Let readers see an earlier version."""
    import settings as project_settings
    from publishing.manage import rollback
    from publishing.store import store_of

    settings = project_settings.load()
    name = rollback(domain, version, settings)
    text = f"{store_of(domain, settings).location} is {name}"
    answer({"domain": domain, "version": name}, text, as_json=json)


@app.command(rich_help_panel=PANEL)
def diff(domain: Domain, before: Version, after: Version, json: Json = False) -> None:
    """Compare two versions."""
    import settings as project_settings
    from publishing.manage import diff

    compared = diff(domain, before, after, project_settings.load())
    answer(compared.to_dict(), compared.markdown().rstrip(), as_json=json)


@app.command(rich_help_panel=PANEL)
def prune(
    domain: Domain,
    keep: Annotated[
        int | None,
        typer.Option(
            help="How many versions to keep. Default: as many as `publish` keeps.", show_default=False
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Remove old versions."""
    import settings as project_settings
    from publishing.manage import prune
    from publishing.versions import KEEP

    removed = prune(domain, KEEP if keep is None else keep, project_settings.load())
    text = "\n".join(f"removed {name}" for name in removed) or "nothing to remove"
    answer({"domain": domain, "removed": removed}, text, as_json=json)


@app.command(rich_help_panel=PANEL)
def promote(
    domain: Domain,
    source: Annotated[str, typer.Option("--from", metavar="ENVIRONMENT", show_default=False)],
    target: Annotated[str, typer.Option("--to", metavar="ENVIRONMENT", show_default=False)],
    version: Annotated[
        str | None, typer.Argument(metavar="[VERSION]", help="Default: the one in use.", show_default=False)
    ] = None,
    force_publish: ForcePublish = False,
    reason: Reason = "",
    json: Json = False,
) -> None:
    """Publish in one environment what is published in another."""
    import settings as project_settings
    from publishing.promote import promote

    from_, to = project_settings.load(source), project_settings.load(target)
    name, compared = promote(domain, from_, to, version=version, accept=force_publish, reason=reason)
    lines = [f"{to.published(domain)} is {name}, as in {from_.env}"]
    if compared.differences:
        lines.append(compared.table())
    answer(compared.to_dict(), "\n".join(lines), as_json=json)


@app.command(rich_help_panel=PANEL)
def preview(
    domains: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[DOMAIN]...",
            parser=check_domain,
            autocompletion=complete_domain,
            help="Default: all that are published.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Build what a change of the models affects, and compare it with what is published."""
    import settings as project_settings
    from publishing.preview import describe, previews

    found = previews(domains or [], project_settings.load())
    answer([each.to_dict() for each in found], describe(found), as_json=json)


@app.command(rich_help_panel=PANEL)
def lineage(
    name: Annotated[
        str,
        typer.Argument(
            metavar="TABLE[.COLUMN]", help="Published or raw, as fct_orders.revenue.", show_default=False
        ),
    ],
    downstream: Annotated[bool, typer.Option("--downstream", help="What it reaches.")] = False,
    json: Json = False,
) -> None:
    """Show where a column or table that is published comes from, or what it reaches."""
    import settings as project_settings
    from lineage.text import downstream_text, upstream_text
    from publishing.lineage import all_published

    found = all_published(project_settings.load())
    name = found.find(name)
    reach = found.downstream(name) if downstream else found.upstream(name)
    inputs = {} if downstream else {"inputs": found.inputs(name)}
    text = (downstream_text if downstream else upstream_text)(found, name)
    answer({"name": name, **asdict(reach), **inputs}, text, as_json=json)


def _complete_saved(incomplete: str) -> list[str]:
    from dashboard.saved_queries import saved_queries

    return [name for name in saved_queries() if name.startswith(incomplete)]


@app.command(rich_help_panel=PANEL)
def sql(
    query: Annotated[
        str | None,
        typer.Argument(metavar="[QUERY]", help="One SELECT; a table is DOMAIN.TABLE.", show_default=False),
    ] = None,
    saved: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", autocompletion=_complete_saved, help="A query of dashboard/queries instead."
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A file with a query instead.")
    ] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print the rows as CSV.")] = False,
    seconds: Annotated[float, typer.Option(help="Interrupt the query after this time.")] = 60.0,
    json: Json = False,
) -> None:
    """Query what is published, such as: sluice sql "select count(*) from ecommerce.fct_orders".

    A query can neither change data nor read files.
    """
    import settings as project_settings
    from dashboard.saved_queries import saved_query
    from publishing.published_sql import run_query

    given = [query, saved_query(saved).sql if saved else None, file.read_text() if file else None]
    texts = [text for text in given if text is not None]
    if len(texts) != 1:
        raise typer.BadParameter("give a query, --saved or --file, and only one of them")
    with run_query(texts[0], project_settings.load(), seconds=seconds) as rows:
        print_rows(rows, csv=csv, json=json)
