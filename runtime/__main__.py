"""`python -m runtime run [DAG ...]` and `python -m runtime airflow`."""

import argparse
import json
import signal
import sys
import time

import settings as project_settings
from runtime.client import ApiError
from runtime.local import LocalAirflow, RunTimeout
from runtime.manifest import ManifestError
from runtime.processes import AirflowError
from runtime.progress import progress
from runtime.report import exit_status, print_report

FAILED = 2


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; return the exit status: 0 success, 1 partial, 2 failed."""
    options = _parser().parse_args(arguments)
    # kill ends a run as Ctrl-C does: through the same way out, which stops Airflow.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        settings = project_settings.load()
        return options.command(settings, options)
    except (AirflowError, ManifestError, ApiError, RunTimeout, project_settings.SettingsError) as error:
        print(error, file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 128 + signal.SIGINT


def run(settings, options) -> int:
    """Start Airflow, run DAGs to their end, report and stop."""
    with LocalAirflow(settings, say=print) as airflow:
        names = options.dags or airflow.pipelines()
        runs = [(name, airflow.trigger(name, options.conf)) for name in names]
        with progress() as show:
            states = airflow.watch(runs, options.timeout, show)
        print_report(states, airflow.client, settings)
    return exit_status(states)


def serve(settings, options) -> int:
    """Start Airflow and stay until Ctrl-C."""
    with LocalAirflow(settings, say=print) as airflow:
        print(f"Open {airflow.url}  user {airflow.username}  password {airflow.password}  (Ctrl-C stops it)")
        while True:
            airflow.check()
            time.sleep(1)


def _interrupt(*_) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m runtime", description="Airflow on this machine.")
    commands = parser.add_subparsers(required=True)
    running = commands.add_parser("run", help="run DAGs to their end")
    running.add_argument("dags", nargs="*", help="default: every DAG that is tagged pipeline")
    running.add_argument("--conf", type=json.loads, help='parameters, e.g. {"full_refresh": true}')
    running.add_argument("--timeout", type=float, default=3600, help="seconds (default 3600)")
    running.set_defaults(command=run)
    serving = commands.add_parser("airflow", help="stay in the foreground, for the UI")
    serving.set_defaults(command=serve)
    return parser


if __name__ == "__main__":
    sys.exit(main())
