"""`sluice airflow …`: Airflow on this machine or as services; and `sluice spark`."""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import FAILED, known, note, report_error

if TYPE_CHECKING:
    from settings import Settings

PANEL = "Services"

app = typer.Typer()
group = typer.Typer(
    help="Run Airflow on this machine, and commands with its environment.", no_args_is_help=True
)
app.add_typer(group, name="airflow", rich_help_panel=PANEL)


def stop_on_sigterm() -> None:
    """Have SIGTERM end this process as Ctrl-C does, so that it stops what it started."""

    def interrupt(*_) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)


@group.command()
def start() -> None:
    """Start Airflow and its UI; stop it on Ctrl-C."""
    import settings as project_settings
    from local_airflow.local import LocalAirflow
    from transformation.dbt import ensure_docs

    stop_on_sigterm()
    settings = project_settings.load()
    ensure_docs(settings)
    with LocalAirflow(settings, say=print, scheduled=True) as airflow:
        login = f"user {airflow.username}  password {airflow.password}"
        print(f"Open {airflow.url}  {login}  (Ctrl-C stops it)", flush=True)
        while True:
            airflow.check()
            airflow.ensure_pools()  # of a DAG that was added meanwhile
            airflow.follow()
            time.sleep(1)


def _conf(text: str) -> dict[str, Any]:
    try:
        return json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"not JSON: {error}") from error


def _dag(text: str) -> str:
    from local_airflow.configuration import dag_names

    return known(text, dag_names(), "DAG")


@group.command()
def run(
    dags: Annotated[
        list[str] | None,
        typer.Argument(
            parser=_dag,
            metavar="DAG...",
            help="Default: every DAG with the tag pipeline.",
            show_default=False,
        ),
    ] = None,
    conf: Annotated[
        dict | None,
        typer.Option(
            parser=_conf,
            metavar="JSON",
            help='Parameters, such as {"full_refresh": true}.',
            show_default=False,
        ),
    ] = None,
    timeout: Annotated[float, typer.Option(metavar="SECONDS")] = 3600,
) -> None:
    """Start Airflow, run DAGs to their end, report and stop.

    Exit status: 0 success, 1 a task failed that the published data does not need, 2 a run failed.
    """
    import settings as project_settings
    from local_airflow.local import LocalAirflow
    from local_airflow.progress import progress
    from local_airflow.report import exit_status, print_report
    from settings.services import AirflowAccess
    from transformation.dbt import DbtError, ensure_docs

    stop_on_sigterm()
    settings = project_settings.load()
    with LocalAirflow(settings, say=print, samples=True) as airflow:
        names = dags or airflow.pipelines()
        runs = [(name, airflow.trigger(name, conf)) for name in names]
        with progress() as show:
            states = airflow.watch(runs, timeout, show)
        assert airflow.client
        print_report(states, airflow.client, settings)
        if not dags:
            # While Airflow tells its history.
            access = AirflowAccess(url=airflow.url, username=airflow.username, password=airflow.password)
            _collect_health(settings.model_copy(update={"airflow": access}))
    if not dags:
        # For `dbt docs serve` by hand, now that the tables are there. Other DAGs may go on after the run of single ones,
        # and would keep the warehouse.
        try:
            ensure_docs(settings, renew=True)
        except DbtError as error:
            note(f"the documentation of the models is not generated: {error}")
    raise typer.Exit(exit_status(states))


def _collect_health(settings: "Settings") -> None:
    """Publish what the dashboard shows of all pipelines, as the DAGs `pipeline_health` and `overview` do."""
    from observability.health.collect import health, overview

    try:
        health(settings)
        overview(settings)
    except Exception as error:
        # The pipelines have run; what is shown of them can wait.
        note(f"the health of the pipelines is not collected: {error}")


@group.command(
    name="exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}
)
def execute(words: Annotated[list[str], typer.Argument(metavar="COMMAND...", show_default=False)]) -> None:
    """Run a command with the environment of Airflow: `sluice airflow exec airflow dags list`."""
    import settings as project_settings
    from local_airflow.configuration import airflow_environment
    from local_airflow.local import last_port, prepare

    settings = project_settings.load()
    if not settings.deployment:  # its services wait for `migrate`
        prepare(settings, say=print)
    # Without what that environment leaves out of this one.
    environment = airflow_environment(settings, last_port(settings))
    # The airflow of this Python, also where its folder is not on the path.
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    os.execvpe(words[0], words, environment)


@group.command()
def migrate() -> None:
    """Create or upgrade what the services of a deployment need before they start.

    That is the database and the pools of Airflow, the landing folders, and the manifest and the documentation of the
    models; without the documentation on Spark, whose server starts later.
    """
    import settings as project_settings
    from ingestion.registry import domains
    from local_airflow import metadata
    from local_airflow.configuration import airflow_environment, dag_names, pools
    from transformation.dbt import ensure_docs, ensure_manifest

    settings = project_settings.load()
    for domain in domains():
        settings.landing(domain).mkdir(parents=True, exist_ok=True)
    if settings.spark:
        ensure_manifest(settings)
    else:
        ensure_docs(settings)
    environment = airflow_environment(settings)
    metadata.migrate(environment)
    metadata.set_pools(environment, pools(dag_names(), settings))
    typer.echo("the database of Airflow and the manifest of the models are ready")


@app.command(rich_help_panel=PANEL)
def spark() -> None:
    """Start the SQL server of Spark for the target spark, with the cores of this machine or `SLUICE_SPARK_MASTER`."""
    import settings as project_settings
    from warehouse.spark_server import spark_server

    stop_on_sigterm()
    settings = project_settings.load()
    if not settings.spark:
        raise project_settings.SettingsError(
            "set SLUICE_TARGET=spark, here and for the clients of the server"
        )
    with spark_server(settings.spark, settings.data_dir / "spark") as server:
        print(
            f"Spark answers at {settings.spark}  tables in {settings.spark.lake}  (Ctrl-C stops it)",
            flush=True,
        )
        server.wait()
    report_error(f"Spark has ended, see {settings.data_dir / 'spark' / 'server.log'}")
    raise typer.Exit(FAILED)
