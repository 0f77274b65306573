"""Airflow, the documentation and Spark: `python -m cli.airflow run|airflow|docs|spark|exec|migrate`."""

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path

import settings as project_settings
from local_airflow import metadata
from local_airflow.configuration import airflow_environment, dag_names, pools
from local_airflow.local import LocalAirflow, RunTimeout, last_port, prepare
from local_airflow.processes import AirflowError, free_port
from local_airflow.progress import progress
from local_airflow.report import exit_status, print_report
from observability.health.airflow_api import ApiError
from transformation.dbt import DbtError, ensure_docs, ensure_manifest, run_dbt
from warehouse import WarehouseBusyError
from warehouse.spark_server import SparkMissingError, spark_server

FAILED = 2
FAILURES = (
    AirflowError,
    DbtError,
    ApiError,
    RunTimeout,
    project_settings.SettingsError,
    SparkMissingError,
    WarehouseBusyError,
)


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; return the exit status: 0 success, 1 partial, 2 failed."""
    options = _parser().parse_args(arguments)
    # kill ends a run as Ctrl-C does: through the same way out, which stops Airflow.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        settings = project_settings.load()
        return options.command(settings, options)
    except FAILURES as error:
        print(error, file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 128 + signal.SIGINT


def run(settings, options) -> int:
    """Start Airflow, run DAGs to their end, report and stop."""
    with LocalAirflow(settings, say=print, samples=True) as airflow:
        names = options.dags or airflow.pipelines()
        runs = [(name, airflow.trigger(name, options.conf)) for name in names]
        with progress() as show:
            states = airflow.watch(runs, options.timeout, show)
        print_report(states, airflow.client, settings)
    return exit_status(states)


def serve(settings, options) -> int:
    """Start Airflow and stay until Ctrl-C."""
    ensure_docs(settings)
    with LocalAirflow(settings, say=print, scheduled=True) as airflow:
        login = f"user {airflow.username}  password {airflow.password}"
        print(f"Open {airflow.url}  {login}  (Ctrl-C stops it)", flush=True)
        while True:
            airflow.check()
            airflow.ensure_pools()  # of a DAG that was added meanwhile
            time.sleep(1)


def docs(settings, options) -> int:
    """Serve the models' documentation until Ctrl-C."""
    ensure_docs(settings)
    port = free_port()
    print(f"The models' documentation: http://127.0.0.1:{port}  (Ctrl-C stops it)", flush=True)
    run_dbt(
        ["docs", "serve", "--host", "127.0.0.1", "--port", str(port), "--no-browser"], settings, quiet=True
    )
    return 0


def spark(settings, options) -> int:
    """Start Spark's SQL server, with this machine's cores or `SLUICE_SPARK_MASTER` as its cluster, until Ctrl-C."""
    if not settings.spark:
        raise project_settings.SettingsError(
            "set SLUICE_TARGET=spark, here and for what is to use the server"
        )
    with spark_server(settings.spark, settings.data_dir / "spark") as server:
        print(
            f"Spark answers at {settings.spark}  tables in {settings.spark.lake}  (Ctrl-C stops it)",
            flush=True,
        )
        server.wait()
    raise WarehouseBusyError(f"Spark has ended, see {settings.data_dir / 'spark' / 'server.log'}")


def execute(settings, options) -> int:
    """Run a command, such as `airflow backfill create …`, with the environment of Airflow's processes."""
    if not settings.deployment:  # whose services wait for `migrate`
        prepare(settings, say=print)
    os.environ.update(airflow_environment(settings, last_port(settings)))
    # The airflow of this Python, also where its folder is not on the path.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    os.execvp(options.words[0], options.words)


def migrate(settings, options) -> int:
    """Make or upgrade what the services of a deployment need before they start.

    That is Airflow's database, the pools of the DAGs, the landing folders, and the models' manifest and
    documentation; without the documentation on Spark, whose server starts after this.
    """
    from ingestion.registry import domains

    for domain in domains():
        settings.landing(domain).mkdir(parents=True, exist_ok=True)
    if settings.spark:
        ensure_manifest(settings)
    else:
        ensure_docs(settings)
    environment = airflow_environment(settings)
    metadata.migrate(environment)
    metadata.set_pools(environment, pools(dag_names(), settings.writers))
    print("Airflow's database and the manifest of the models are ready")
    return 0


def _interrupt(*_) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cli.airflow", description="Airflow, on this machine or as services; Spark."
    )
    commands = parser.add_subparsers(required=True)
    running = commands.add_parser("run", help="run DAGs to their end")
    running.add_argument("dags", nargs="*", help="default: every DAG that is tagged pipeline")
    running.add_argument("--conf", type=json.loads, help='parameters, e.g. {"full_refresh": true}')
    running.add_argument("--timeout", type=float, default=3600, help="seconds (default 3600)")
    running.set_defaults(command=run)
    serving = commands.add_parser("airflow", help="stay in the foreground, for the UI")
    serving.set_defaults(command=serve)
    documenting = commands.add_parser("docs", help="the models' documentation, generated and served")
    documenting.set_defaults(command=docs)
    sparking = commands.add_parser("spark", help="a Spark server on this machine, for the target spark")
    sparking.set_defaults(command=spark)
    migrating = commands.add_parser(
        "migrate", help="make or upgrade what a deployment needs before it starts"
    )
    migrating.set_defaults(command=migrate)
    executing = commands.add_parser("exec", help="run a command with Airflow's environment")
    executing.add_argument("words", nargs=argparse.REMAINDER, metavar="airflow …")
    executing.set_defaults(command=execute)
    return parser


if __name__ == "__main__":
    sys.exit(main())
