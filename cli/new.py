"""`sluice new`: make a domain from delivered files, a bucket, tables of a database or a REST API."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import Json, answer

if TYPE_CHECKING:
    from scaffolding.write import Plan

PANEL = "Domains"

app = typer.Typer()


@app.command(rich_help_panel=PANEL)
def new(
    domain: Annotated[
        str, typer.Argument(metavar="DOMAIN", show_default=False, help="Its name, such as shop.")
    ],
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE...",
            show_default=False,
            help="Delivered files: .csv, .tsv, .jsonl, .parquet, .xlsx or .zip. Or where they are fetched from:"
            " s3://bucket/folder/orders*.csv, sftp://…, or an environment variable with such a URL.",
        ),
    ] = None,
    entity: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=FILE", help="The entity of a file. Default: by the file's name. Repeatable."
        ),
    ] = None,
    header: Annotated[
        str,
        typer.Option(metavar="NAME,NAME,...", help="The columns of text files without a header line."),
    ] = "",
    database: Annotated[
        str,
        typer.Option(metavar="VARIABLE", help="The environment variable with the URL of a database."),
    ] = "",
    table: Annotated[
        list[str] | None, typer.Option(metavar="TABLE", help="A table of the database. Repeatable.")
    ] = None,
    rest_api: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A YAML file with dlt's configuration of a REST API: client and resources."
        ),
    ] = None,
    deliver: Annotated[
        bool, typer.Option("--deliver", help="Also copy the files to the domain's landing folder.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the content of the new files; write nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Make a domain from files, tables of a database or a REST API: source, models, rules, tests and DAG.

    Afterwards `sluice run DOMAIN` loads, builds, tests and publishes it. `sluice remove DOMAIN` takes it away again.
    """
    import settings as project_settings
    from dashboard.exposures import pages_of
    from scaffolding.database_tables import declare_sources, read_tables
    from scaffolding.profile import profile
    from scaffolding.remote_files import declare_locations, fetch_samples, is_location
    from scaffolding.rest_api import declare_resources, read_resources
    from scaffolding.write import check_is_new, check_landing, plan, write
    from scaffolding.write import deliver as copy_files
    from settings import PROJECT_DIR
    from transformation.dbt import ensure_manifest

    named = dict(map(_entity_option, entity or []))
    given = list(dict.fromkeys([*(files or []), *named]))
    paths = [Path(each) for each in given if not is_location(each)]
    if not given and not table and not rest_api:
        raise typer.BadParameter("name at least one file, --database and --table, or --rest-api")
    if bool(table) != bool(database):
        raise typer.BadParameter("--database and --table belong together")
    settings = project_settings.load()
    check_is_new(domain, PROJECT_DIR)
    with TemporaryDirectory() as folder:
        tables = read_tables(database, table or [], Path(folder))
        resources = read_resources(rest_api, Path(folder)) if rest_api else {}
        entities = named | {path: name.rpartition(".")[2] for path, name in tables.items()} | resources
        locations: dict[str, str] = {}
        for location in filter(is_location, given):
            fetched = fetch_samples(location, Path(folder))
            locations |= fetched
            entities |= dict.fromkeys(fetched, named[location]) if location in named else {}
        names = [name.strip() for name in header.split(",") if name.strip()]
        profiled = profile(domain, [*paths, *map(Path, [*tables, *resources, *locations])], entities, names)
        declare_sources(profiled, database, tables)
        if rest_api:
            declare_resources(profiled, rest_api, resources)
        declare_locations(profiled, locations)
    planned = plan(profiled, PROJECT_DIR, pages_of)
    landing = settings.landing(domain)
    if deliver:
        check_landing(paths, landing)
    if dry_run:
        answer(_to_dict(planned), f"{planned.describe_contents()}\n{_describe(planned)}", as_json=json)
        return
    write(planned, PROJECT_DIR, check=lambda: ensure_manifest(settings))
    if deliver:
        copy_files(paths, landing)
    text = f"{_describe(planned)}\n\nNext:\n{_next(planned, paths, landing, deliver)}"
    answer(_to_dict(planned), text, as_json=json)


def _entity_option(text: str) -> tuple[str, str]:
    name, equals, file = text.partition("=")
    if not (name and equals and file):
        raise typer.BadParameter(f"--entity {text}: it is not NAME=FILE, such as orders=export_7.csv")
    return file, name


def _to_dict(planned: "Plan") -> dict[str, Any]:
    domain = planned.domain
    entities = [
        {
            "entity": entity.name,
            "files": [str(path) for path in entity.files],
            "pattern": entity.pattern,
            "rows": entity.rows,
            "key": [*entity.key],
            "columns": {column.raw: column.type for column in entity.columns},
            "references": {reference.column: reference.entity for reference in entity.references},
            "marts": [mart for mart in (entity.mart, entity.month_mart) if mart],
        }
        for entity in domain.entities
    ]
    files = [*planned.files, *planned.generated, *planned.edits]
    return {"domain": domain.name, "entities": entities, "doubts": domain.doubts, "files": files}


def _describe(planned: "Plan") -> str:
    from scaffolding.render import quarantine_limit

    domain = planned.domain
    lines = []
    for entity in domain.entities:
        columns = [
            f"{column.name} {column.type}" + (f"({column.places})" if column.places else "")
            for column in entity.columns
        ]
        counted = "1 file" if len(entity.files) == 1 else f"{len(entity.files)} files"
        lines += [
            f"{entity.name}: {entity.rows:,} rows in {counted}; further files: {entity.pattern}",
            f"  key      {', '.join(entity.key)}",
            f"  columns  {', '.join(columns)}",
            *(
                f"  refers   {reference.column} to {reference.entity}.{reference.key} ({reference.share:.1%})"
                for reference in entity.references
            ),
            f"  marts    {', '.join(mart for mart in (entity.mart, entity.month_mart) if mart)}",
        ]
    if domain.failing_share:
        limit = quarantine_limit(domain)
        raised = f"; the limit for this domain is {limit:.0%}, for others 5%" if limit else ""
        lines.append(f"{domain.failing_share:.1%} of the rows will be in quarantine{raised}")
    if domain.doubts:
        lines += ["Please check:", *(f"  - {doubt}" for doubt in domain.doubts)]
    return "\n".join([*lines, "Files:", planned.describe_files()])


def _next(planned: "Plan", files: list[Path], landing: Path, delivered: bool) -> str:
    import shlex

    domain = planned.domain.name
    copied = " ".join(shlex.quote(str(path)) for path in files)
    folder = shlex.quote(str(landing))
    commands = [] if delivered or not files else [f"mkdir -p {folder} && cp {copied} {folder}/"]
    commands += [f"sluice run {domain}", f"sluice quarantine {domain}", f"sluice airflow run {domain}"]
    return "\n".join(f"  {command}" for command in commands[:3])
