"""Runs dbt on the project with the platform's settings, in this process."""

import os
import sys
from contextlib import chdir
from typing import Any

from settings import DBT_PROJECT_DIR, Settings


class DbtError(RuntimeError):
    """dbt ended with a failure; what failed is in its own output just before."""


def run_dbt(arguments: list[str], settings: Settings) -> Any:
    """Run one dbt command, its output going to this process's.

    Args:
        arguments: the command line after `dbt`, such as `["build", "--select", "tag:collisions"]`.
        settings: which data folder and environment.

    Returns:
        What the command returns: run results, a manifest or nothing.

    Raises:
        DbtError: a node or the command failed.
    """
    from dbt.cli.main import dbtRunner  # takes 1.5 s, which a command without dbt need not pay

    settings.warehouse.parent.mkdir(parents=True, exist_ok=True)
    # dbt reads the environment in its own modules, some of them as they are imported.
    os.environ.update(settings.environment())
    sys.stdout.flush()
    with chdir(DBT_PROJECT_DIR):
        result = dbtRunner().invoke(arguments)
    if not result.success:
        raise DbtError(f"dbt {arguments[0]} failed" + (f": {result.exception}" if result.exception else ""))
    return result.result


def selection(domain: str) -> list[str]:
    """The dbt options that select everything a domain's marts need."""
    return ["--select", f"tag:{domain}", "tag:shared"]
