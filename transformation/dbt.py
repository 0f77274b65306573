"""Runs dbt on the project with the platform's settings, and keeps its manifest fresh."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from settings import DBT_PROJECT_DIR, PROJECT_DIR, Settings

# Unit tests try the logic on rows of their own; they can only fail where the code changes, and run there (`make test`).
UNIT_TESTS = "test_type:unit"
# Months that the facts rebuild whether they differ or not: 2022, 2022-04, or several with commas between. As one of
# dbt's own variables it would have dbt parse the whole project again whenever it changes.
REBUILD_VARIABLE = "SLUICE_REBUILD"
WATCHED = ("models", "macros", "seeds", "tests")


class DbtError(RuntimeError):
    """dbt ended with a failure; its own output says why."""


def run_dbt(
    arguments: list[str],
    settings: Settings,
    *,
    quiet: bool = False,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Run one dbt command in a process of its own, which frees the warehouse when it ends.

    Args:
        arguments: the command line after `dbt`, such as `["build", "--select", "tag:collisions"]`.
        settings: which data folder and environment.
        quiet: show the output only if the command fails.
        variables: of the environment, in place of those of the settings.

    Raises:
        DbtError: a node or the command failed.
    """
    settings.warehouse.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [Path(sys.executable).with_name("dbt"), *arguments],
        cwd=DBT_PROJECT_DIR,
        env={**os.environ, **settings.environment(), **variables},
        stdin=subprocess.DEVNULL,
        capture_output=quiet,
        text=True,
    )
    if done.returncode:
        output = f"\n{done.stdout}{done.stderr}".rstrip() if quiet else ""
        raise DbtError(f"dbt {arguments[0]} ended with status {done.returncode}{output}")


def selectors(domain: str) -> list[str]:
    """dbt selectors of everything that a domain publishes, and of its tests."""
    return [f"tag:{domain}", "tag:shared"]


def ensure_manifest(settings: Settings) -> None:
    """Make `settings.manifest` anew if the dbt project has changed since.

    What dbt's last command has left behind is taken if it is of the project as it is now.

    Raises:
        DbtError: dbt refuses the project.
    """
    if not is_stale(settings):
        return
    latest = settings.dbt_target / "manifest.json"
    begun = _begun(latest)
    if begun is None or _has_changed_since(begun):
        run_dbt(["parse"], settings, quiet=True)
        begun = _begun(latest)
    settings.manifest.parent.mkdir(parents=True, exist_ok=True)
    copy = settings.manifest.with_suffix(f".{os.getpid()}")
    shutil.copyfile(latest, copy)
    # A file that changed after dbt began to read makes it stale.
    os.utime(copy, (begun, begun))
    copy.replace(settings.manifest)


def is_stale(settings: Settings) -> bool:
    """Whether the manifest is missing or older than a file or folder of the dbt project."""
    return not settings.manifest.exists() or _has_changed_since(settings.manifest.stat().st_mtime)


def _begun(manifest: Path) -> float | None:
    """When dbt began to read the project, in seconds since 1970; None if there is no whole manifest."""
    try:
        begun = json.loads(manifest.read_text())["metadata"]["generated_at"]
    except (FileNotFoundError, ValueError):
        return None
    return datetime.fromisoformat(begun).timestamp()


def _has_changed_since(made: float) -> bool:
    sources = [
        DBT_PROJECT_DIR / "dbt_project.yml",
        DBT_PROJECT_DIR / "selectors.yml",
        PROJECT_DIR / "profiles.yml",
    ]
    for folder in WATCHED:
        # Folders count too: a file that was deleted or moved changes only its folder's time.
        sources += [DBT_PROJECT_DIR / folder, *(DBT_PROJECT_DIR / folder).rglob("*")]
    return any(path.exists() and path.stat().st_mtime > made for path in sources)


def ensure_docs(settings: Settings) -> None:
    """Generate the models' documentation into `settings.dbt_target` if it is older than the manifest.

    Raises:
        DbtError: dbt could not compile a model.
    """
    ensure_manifest(settings)
    index = settings.dbt_target / "index.html"
    if not index.exists() or index.stat().st_mtime < settings.manifest.stat().st_mtime:
        run_dbt(["docs", "generate"], settings, quiet=True)
