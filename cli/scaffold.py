"""What keeps the files of the domains in order: generate what follows from them, check them, remove a domain."""

from typing import Annotated

import typer

from cli.new import PANEL
from cli.options import FAILED, Json, answer, complete_domain, known, note

app = typer.Typer()


@app.command(rich_help_panel=PANEL)
def remove(
    domains: Annotated[
        list[str] | None,
        typer.Argument(metavar="DOMAIN...", autocompletion=complete_domain, show_default=False),
    ] = None,
    samples: Annotated[
        bool, typer.Option("--samples", help="Remove the domains of the samples, to begin with your own.")
    ] = False,
    data: Annotated[
        bool,
        typer.Option(
            "--data", help="Also remove their landing folders, archives, tables and published files."
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Remove domains: source, models, tests, DAG and page. Their data stays unless --data is given."""
    import settings as project_settings
    from scaffolding.project_files import SAMPLE_DOMAINS, is_domain
    from scaffolding.remove import check_target, plan_removal, remove, remove_data
    from settings import PROJECT_DIR

    chosen = list(dict.fromkeys(domains or []))
    if samples:
        chosen += [name for name in SAMPLE_DOMAINS if name not in chosen and is_domain(name, PROJECT_DIR)]
    if not chosen and not samples:
        raise typer.BadParameter("name a domain, or --samples")
    settings = project_settings.load()
    removals = [plan_removal(domain, PROJECT_DIR) for domain in chosen]
    if data:
        check_target(settings)
    paths = [str(path.relative_to(PROJECT_DIR)) for removal in removals for path in removal.files]
    entries = list(dict.fromkeys(path for removal in removals for path in removal.entries))
    names = ", ".join(chosen) or "nothing"
    if not yes and removals:
        note("\n".join([f"  {path}" for path in paths] + [f"  {path} (an entry)" for path in entries]))
        what = f"all data in {settings.data_dir} and these files" if data else "these files"
        try:
            typer.confirm(f"Remove {names} with {what}?", abort=True, err=True)
        except typer.Abort:
            note("nothing is removed; --yes removes without a question")
            raise typer.Exit(FAILED) from None
    for removal in removals:
        if data:
            remove_data(removal, settings)
        remove(removal, PROJECT_DIR)
    kept = "" if data or not removals else f"; the data in {settings.data_dir} stays"
    result = {"domains": chosen, "files": paths, "entries": entries, "data": data}
    text = f"removed {names}: {len(paths)} files and entries in {len(entries)} files{kept}"
    answer(result, text, as_json=json)


@app.command(rich_help_panel=PANEL)
def generate(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail if a file would change.")
    ] = False,
    json: Json = False,
) -> None:
    """Write the folders generated/ of dbt_project/models/ anew, after a change of a source, a staging model, a mart, a report or a page.

    They have what follows from them: descriptions of raw tables, validated, clean and quarantine models, audits, exposures.
    """
    from dashboard.exposures import pages_of
    from scaffolding.generated.write import outdated_files, write_generated
    from settings import PROJECT_DIR

    changed = [*(outdated_files if check else write_generated)(PROJECT_DIR, pages_of)]
    answer({"changed": changed}, "\n".join(changed) or "nothing has changed", as_json=json)
    if check and changed:
        note("these files do not follow from the declarations: run `sluice generate`")
        raise typer.Exit(FAILED)


@app.command(rich_help_panel=PANEL)
def check(
    domain: Annotated[
        str | None, typer.Argument(metavar="DOMAIN", autocompletion=complete_domain, show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """Say what does not fit together in the files of a domain, or of all: names, entries, DAG, models, page."""
    import settings as project_settings
    from dashboard.exposures import pages_of
    from scaffolding.check import check_domain, known_domains
    from settings import PROJECT_DIR
    from transformation.dbt import ensure_manifest

    names = known_domains(PROJECT_DIR)
    chosen = [known(domain, names, "domain")] if domain else names
    found = {each: [*map(str, check_domain(each, PROJECT_DIR, pages_of))] for each in chosen}
    lines = list(dict.fromkeys(line for texts in found.values() for line in texts))
    if not lines:
        # What only dbt can tell.
        ensure_manifest(project_settings.load())
    text = "\n".join(lines) or f"{', '.join(chosen) or 'no domain'}: everything fits together"
    answer({"domains": chosen, "findings": lines}, text, as_json=json)
    if lines:
        raise typer.Exit(FAILED)
