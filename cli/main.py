"""The application: the verbs of all groups, the exit status, and what a user sees of an error.

A module that takes long to import is imported by the verb that needs it, so that `sluice --help` answers at once.
"""

import logging
from collections.abc import Sequence

import typer

from cli import airflow, backup, files, metrics, new, observe, publish, quality, run, scaffold
from cli.options import FAILED, INTERRUPTED, report_error
from common.text import TEXT, printable

# Where the project's own errors and log records come from.
PACKAGES = (
    "backup",
    "cli",
    "common",
    "dashboard",
    "ingestion",
    "lineage",
    "local_airflow",
    "observability",
    "orchestration",
    "publishing",
    "quality",
    "samples",
    "scaffolding",
    "settings",
    "transformation",
    "warehouse",
)

app = typer.Typer(
    name="sluice",
    help="Load, build, test and publish data, with Airflow or from a shell.",
    epilog="Exit status: 0 success, 1 partial (something failed that the published data does not need), "
    "2 failed, 130 interrupted.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for group in (run, new, scaffold, publish, metrics, quality, files, backup, observe, airflow):
    app.add_typer(group.app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    handler = logging.StreamHandler()
    handler.setFormatter(_PrintableFormatter("%(message)s"))
    logging.basicConfig(handlers=[handler])
    for package in PACKAGES:
        logging.getLogger(package).setLevel(logging.INFO)
    try:
        app(arguments, prog_name="sluice")
    except SystemExit as exit_:
        if exit_.code == INTERRUPTED:
            typer.echo("stopped", err=True)
        return int(exit_.code or 0)
    except Exception as error:
        # The classes of the project's errors are made for people; any other error is a defect.
        if type(error).__module__.partition(".")[0] not in PACKAGES:
            raise
        report_error(str(error))
        return FAILED
    return 0


class _PrintableFormatter(logging.Formatter):
    """Keeps what files and servers have named from steering the terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record), keep=TEXT)
