"""`sluice backup …`: copies of everything that is not code, and the way back."""

from typing import Annotated

import typer

from cli.options import Json, answer

app = typer.Typer()
group = typer.Typer(help="Back up everything that is not code, and restore it.", no_args_is_help=True)
app.add_typer(group, name="backup", rich_help_panel="Files")

Source = Annotated[
    str, typer.Argument(metavar="BACKUP", help="Path or URL of the backup.", show_default=False)
]
Identity = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Key of age that decrypts it; GnuPG has its own.", show_default=False),
]


@group.command()
def create(
    destination: Annotated[
        str,
        typer.Argument(
            metavar="DESTINATION", help="A folder, or a URL such as s3://bucket/folder.", show_default=False
        ),
    ],
    keep: Annotated[
        int | None,
        typer.Option(min=1, help="Keep so many there, remove older ones. Default: all.", show_default=False),
    ] = None,
    encrypt_to: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="Encrypt it with age (age1…) or GnuPG.", show_default=False),
    ] = None,
    without_input: Annotated[
        bool, typer.Option("--without-input", help="Leave out landing, archive and reports.")
    ] = False,
    without_databases: Annotated[
        bool,
        typer.Option(
            "--without-databases", help="Leave out databases on servers, which have tools of their own."
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Write the warehouse, all versions, Airflow's database and what was delivered into one file, while all runs.

    It holds the keys of Airflow, and only its owner can read it.
    """
    import settings as project_settings
    from backup.create import create_backup

    written = create_backup(
        project_settings.load(),
        destination,
        keep=keep,
        recipient=encrypt_to,
        with_input=not without_input,
        with_databases=not without_databases,
    )
    answer({"backup": written}, written, as_json=json)


@group.command()
def verify(source: Source, identity: Identity = None, json: Json = False) -> None:
    """Read a backup as a whole, and compare each file with its checksum."""
    from backup.restore import verify_backup

    facts = verify_backup(source, identity=identity)
    text = f"{source} is complete: {len(facts['files'])} files of {facts['made_at']} ({facts['env']}, {facts['target']})"
    answer(facts, text, as_json=json)


@group.command()
def restore(source: Source, identity: Identity = None, json: Json = False) -> None:
    """Restore a backup into a data folder without data, once all of it has been read and found complete."""
    import settings as project_settings
    from backup.restore import restore_backup

    settings = project_settings.load()
    facts = restore_backup(settings, source, identity=identity)
    text = f"restored {len(facts['files'])} files of {facts['made_at']} into {settings.data_dir}"
    answer(facts, text, as_json=json)
