"""The verbs for people who watch the pipelines: health, notifications, dashboard and documentation."""

from typing import Annotated

import typer

from cli.options import FAILED, PARTIAL, Domain, Json, answer, report_error
from cli.publish import describe

PANEL = "Observe"

app = typer.Typer()


@app.command(rich_help_panel=PANEL)
def health(json: Json = False) -> None:
    """Collect the state of the pipelines, publish it, and send alerts."""
    import settings as project_settings
    from observability.health.collect import health

    collected, publication, sent = health(project_settings.load())
    lines = [f"collected {', '.join(f'{count:,} {name}' for name, count in collected.rows.items())}"]
    if collected.airflow_error:
        lines.append(f"Airflow was not collected: {collected.airflow_error}")
    lines += [f"skipped: {reason}" for reason in collected.unreadable.values()]
    lines.append(describe(publication))
    lines += [
        f"{'alert' if each.started else 'over'}: {each.pipeline}: {each.message} ({each.delivery})"
        for each in sent
    ]
    result = publication.to_dict() | collected.to_dict() | {"alerts": [each.to_dict() for each in sent]}
    answer(result, "\n".join(lines), as_json=json)


@app.command(rich_help_panel=PANEL)
def doctor(json: Json = False) -> None:
    """Look at Python, disk, ports, warehouse, models, sources, Airflow and the last runs, and say what to do.

    Exit status: 0 all is well, 1 something needs a look, 2 something does not work.
    """
    import settings as project_settings
    from cli.diagnosis import ERROR, WARNING, examine

    found = examine(project_settings.load())
    answer([each.to_dict() for each in found], "\n".join(map(str, found)), as_json=json)
    levels = {each.level for each in found}
    if levels & {WARNING, ERROR}:
        raise typer.Exit(FAILED if ERROR in levels else PARTIAL)


@app.command(rich_help_panel=PANEL)
def overview(json: Json = False) -> None:
    """Publish what all domains have in common, from what they publish."""
    import settings as project_settings
    from observability.health.collect import overview

    publication = overview(project_settings.load())
    answer(publication.to_dict(), describe(publication), as_json=json)


@app.command(rich_help_panel=PANEL)
def notify(
    domain: Domain,
    test: Annotated[bool, typer.Option("--test", help="Send a test message.")] = False,
    json: Json = False,
) -> None:
    """Send the message of the last run again, or a test message.

    Exit status: 0 sent, 1 a configured channel failed, 2 no run is recorded, or no channel is configured.
    """
    import settings as project_settings
    from observability.metrics.record import last_run_result
    from observability.notify import message_of, send, trial_message

    settings = project_settings.load()
    last = None if test else last_run_result(domain, settings)
    if not (last or test):
        report_error(f"no run of {domain} is recorded; send a test message: --test")
        raise typer.Exit(FAILED)
    message = message_of(last, settings) if last else trial_message(domain, settings)
    sent = send(message, settings)
    if sent.failed:
        report_error(str(sent))
        raise typer.Exit(PARTIAL)
    if not sent.channels:
        report_error("set SLUICE_NOTIFY_EMAIL_TO and SLUICE_SMTP_HOST, or SLUICE_NOTIFY_WEBHOOK_URL")
        raise typer.Exit(FAILED)
    answer(
        {"domain": domain, "channels": sent.channels, "text": message.text},
        f"{sent}\n{message.text}",
        as_json=json,
    )


@app.command(rich_help_panel=PANEL)
def dashboard(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(help="Default: the first free one from 8501.", show_default=False)
    ] = None,
) -> None:
    """Serve the dashboard until Ctrl-C."""
    import settings as project_settings
    from dashboard.serve import FIRST_PORT, serve
    from local_airflow.processes import free_port

    project_settings.load()
    serve(host, port or free_port(FIRST_PORT, host))


@app.command(rich_help_panel=PANEL)
def docs() -> None:
    """Generate the documentation of the models and serve it until Ctrl-C."""
    import settings as project_settings
    from cli.airflow import stop_on_sigterm
    from local_airflow.processes import DOCS_PORT, free_port
    from transformation.dbt import ensure_docs, run_dbt

    stop_on_sigterm()
    settings = project_settings.load()
    ensure_docs(settings)
    port = free_port(DOCS_PORT)
    typer.echo(f"The documentation of the models: http://127.0.0.1:{port}  (Ctrl-C stops it)")
    run_dbt(
        ["docs", "serve", "--host", "127.0.0.1", "--port", str(port), "--no-browser"], settings, quiet=True
    )
