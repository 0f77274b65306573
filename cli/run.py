"""`sluice run`, `load` and `samples`: get data in, and all the way through."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options
from cli.options import (
    PARTIAL,
    Domain,
    ForcePublish,
    Json,
    Reason,
    answer,
    complete_domain,
    known,
    listed,
    note,
    report_error,
)
from cli.publish import describe

if TYPE_CHECKING:
    from settings import Settings

PANEL = "Run a domain"

app = typer.Typer()


@app.command(rich_help_panel=PANEL)
def run(
    domain: Domain,
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="Build incremental models from scratch.")
    ] = False,
    rebuild_months: Annotated[
        str, typer.Option(help="Months to rebuild: 2022 or 2022-04, comma separated.", metavar="MONTHS")
    ] = "",
    force_publish: ForcePublish = False,
    reason: Reason = "",
    json: Json = False,
) -> None:
    """Load, build, test and publish a domain without Airflow: the steps of its DAG, one after another.

    Models, tests and steps without new input are skipped. Exit status: 0 success, 1 published but a step failed that
    the marts do not need, 2 nothing was published.
    """
    import settings as project_settings
    from observability.metrics.record import NOTHING_NEW
    from observability.metrics.summary import published_counts
    from orchestration.run import Run, run_domain

    settings = project_settings.load()
    this = Run(
        domain,
        settings,
        full_refresh=full_refresh,
        rebuild_months=rebuild_months,
        force_publish=force_publish,
        reason=reason,
    )
    publication = run_domain(this)
    if publication:
        counts = published_counts(domain, settings)
        summary = "  ".join(f"{name.removeprefix('rows_')} {count:,}" for name, count in counts.items())
        answer(publication.to_dict(), f"{summary}\n{describe(publication)}", as_json=json)
    else:
        told = {"domain": domain, "published": None, "reason": NOTHING_NEW}
        answer(told, f"{domain}: {NOTHING_NEW}; all of it is published", as_json=json)
    if this.failed:
        raise typer.Exit(PARTIAL)


def _source(text: str) -> str:
    from ingestion.registry import broken_domains, source_names

    return known(text, sorted({*options.domains(), *broken_domains(), *source_names()}), "domain")


@app.command(rich_help_panel=PANEL)
def load(
    domain: Annotated[
        str,
        typer.Argument(
            metavar="DOMAIN",
            parser=_source,
            autocompletion=complete_domain,
            show_default=False,
            help="A domain, or one of several sources of a domain.",
        ),
    ],
    entity: Annotated[
        list[str] | None, typer.Option(metavar="ENTITY", help="Load this entity only. Repeatable.")
    ] = None,
    month: Annotated[
        list[str] | None,
        typer.Option(metavar="YYYY-MM", help="Load the files of this month only. Repeatable."),
    ] = None,
    download: Annotated[
        bool, typer.Option("--download", help="First download the files of these months.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Take at most N records of an API, to try it.")
    ] = None,
    refresh_enrichment: Annotated[
        bool,
        typer.Option(
            "--refresh-enrichment", help="Also enrich again what another prompt enriched, or what failed."
        ),
    ] = False,
    reload: Annotated[
        list[str] | None,
        typer.Option(
            "--reload",
            metavar="FILE",
            help="Load this file of the landing folder again, and no other. Repeatable.",
        ),
    ] = None,
    drop_columns: Annotated[
        str,
        typer.Option(
            metavar="ENTITY.COLUMN,...",
            help="Load nothing; drop raw columns that are not declared and have no values. ENTITY alone: all such columns.",
        ),
    ] = "",
    force_drop: Annotated[
        bool, typer.Option("--force-drop", help="Also drop those of --drop-columns that have values.")
    ] = False,
    json: Json = False,
) -> None:
    """Load what is new in the landing folder and the APIs of a domain into raw.

    Exit status: 0 all is loaded, 1 a file or API failed, is missing or is left in part (the rest is loaded), 2 nothing
    could be done.
    """
    import settings as project_settings
    from ingestion.load import load_domain
    from ingestion.registry import broken_domains, resources_of_source
    from ingestion.results import FilesFailedError

    if download and not month:
        raise typer.BadParameter("--download needs --month: which files to download")
    entities, months = entity, month
    if domain not in {*options.domains(), *broken_domains()}:
        resources = resources_of_source(domain)
        domain, entities = resources[0].domain, entities or [resource.name for resource in resources]
    settings = project_settings.load()
    if drop_columns:
        _drop_columns(domain, drop_columns, settings, force=force_drop, as_json=json)
        return
    if download and month:
        months = _download(domain, month, settings)
    try:
        summary = load_domain(
            domain,
            settings,
            entities=entities,
            partitions=months,
            limit=limit,
            refresh=refresh_enrichment,
            reload=[Path(name).name for name in reload or ()],
        )
    except FilesFailedError as error:
        summary = error.summary
    answer(summary.to_dict(), str(summary), as_json=json)
    # An entity that was named must be there; in a load of the whole domain it may come another time.
    deferred = (entities or reload) and any(result.status == "deferred" for result in summary.results)
    if summary.failed or summary.partial or deferred or (months or []) != (month or []):
        raise typer.Exit(PARTIAL)


def _drop_columns(domain: str, names: str, settings: "Settings", *, force: bool, as_json: bool) -> None:
    from ingestion.drop_columns import drop_columns
    from transformation.manifest import quarantine_model

    dropped = drop_columns(
        domain,
        [name.strip() for name in listed(names)],
        settings,
        force=force,
        views=lambda entity: [quarantine_model(domain, entity)],
    )
    text = (
        f"dropped {', '.join(dropped)}"
        if dropped
        else "no column is without a declaration and without values"
    )
    answer({"dropped": dropped}, text, as_json=as_json)


def _download(domain: str, months: list[str], settings: "Settings") -> list[str]:
    """Download the files of some months; return those that are there now."""
    from ingestion.download.download import DownloadError
    from ingestion.download.partition import NothingToLoadError, download_partition

    found = []
    for month in months:
        try:
            downloaded = download_partition(domain, month, settings)
        except (DownloadError, NothingToLoadError) as error:
            report_error(f"{month}: {error}")
            continue
        note(f"{downloaded.status:<9} {downloaded.path.name}")
        found.append(month)
    return found


@app.command(rich_help_panel=PANEL, add_help_option=False, context_settings={"ignore_unknown_options": True})
def samples(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="DOMAIN|serve [OPTIONS]...", autocompletion=complete_domain, show_default=False
        ),
    ] = None,
) -> None:
    """Write sample input for one domain or all; `serve` serves sample APIs. `sluice samples DOMAIN --help`."""
    from cli.samples import main
    from samples.domains import DOMAINS

    words = words or []
    if named := [word for word in words if not word.startswith("-")]:
        known(named[0], [*DOMAINS, "serve"], "domain")
    main(words)
