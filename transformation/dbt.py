"""Run dbt with the platform's settings, and keep its manifest up to date."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from common.atomic_write import atomic_write
from common.file_lock import FileLockedError, file_lock
from settings import DBT_PROJECT_DIR, PROJECT_DIR, Settings
from transformation.manifest import SHARED

# Unit tests have their own rows, so they fail only after a change of code; `make test` runs them.
UNIT_TESTS = "test_type:unit"
# Months that the facts rebuild even if nothing changed: 2022, 2022-04, or several separated by commas. An environment
# variable, because dbt parses the whole project again when one of its own variables changes.
REBUILD_VARIABLE = "SLUICE_REBUILD"
# The run that a dbt command belongs to, which records what it has built (`transformation.changes`).
RUN_VARIABLE = "SLUICE_RUN_ID"
# Parsing takes 5 s, on a slow machine beside other work a minute.
TARGET_WAIT_SECONDS = 300.0
DOCS = ("catalog.json", "manifest.json")
WATCHED = ("models", "macros", "seeds", "tests")


class DbtError(RuntimeError):
    """dbt failed; its output gives the reason."""


def run_dbt(
    arguments: list[str],
    settings: Settings,
    *,
    quiet: bool = False,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Run a dbt command in a process of its own, which releases the warehouse when it ends.

    Args:
        arguments: the command line after `dbt`, such as `["build", "--select", "tag:collisions"]`.
        settings: the data folder and environment.
        quiet: show the output only if the command fails.
        variables: environment variables that override those of the settings.

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
    """Return the selection of a domain's run: all that it publishes, with its tests.

    It is the same as the domain's selector in selectors.yml, which `--exclude` cannot be combined with.
    """
    return [f"tag:{domain}", f"tag:{SHARED}"]


def ensure_manifest(settings: Settings) -> None:
    """Update `settings.manifest` if the dbt project has changed.

    The manifest of dbt's last command is copied if it is up to date; otherwise dbt parses the project, for one process at
    a time.

    Raises:
        DbtError: the project is invalid.
    """
    if is_stale(settings):
        with _target_lock(settings):
            if is_stale(settings):
                _update_manifest(settings)


@contextmanager
def _target_lock(settings: Settings) -> Iterator[None]:
    """Keep other processes from `settings.dbt_target` while dbt writes there: it does not replace its files, but fills them."""
    settings.dbt_target.mkdir(parents=True, exist_ok=True)
    try:
        with file_lock(settings.dbt_target / ".lock", TARGET_WAIT_SECONDS):
            yield
    except FileLockedError as error:
        raise DbtError(f"another dbt command has not ended: {error}") from error


def _update_manifest(settings: Settings) -> None:
    latest = settings.dbt_target / "manifest.json"
    started = _started(latest)
    if started is None or _has_changed_since(started):
        run_dbt(["parse"], settings, quiet=True)
        started = _started(latest)
    if started is None:
        raise DbtError(f"{latest} is incomplete; another dbt command writes it")
    settings.manifest.parent.mkdir(parents=True, exist_ok=True)
    copy = settings.manifest.with_suffix(f".{os.getpid()}")
    shutil.copyfile(latest, copy)
    # So that a file that changed while dbt was reading makes the manifest stale.
    os.utime(copy, (started, started))
    copy.replace(settings.manifest)


def is_stale(settings: Settings) -> bool:
    """Return whether the manifest is missing or older than a file or folder of the dbt project."""
    return not settings.manifest.exists() or _has_changed_since(settings.manifest.stat().st_mtime)


def _started(manifest: Path) -> float | None:
    """Return when dbt started to read the project, as a timestamp; None if the manifest is missing or incomplete."""
    try:
        started = json.loads(manifest.read_text())["metadata"]["generated_at"]
    except (FileNotFoundError, ValueError):
        return None
    return datetime.fromisoformat(started).timestamp()


def project_state() -> float:
    """Return the time of the last change of the dbt project."""
    return max(path.stat().st_mtime for path in _sources() if path.exists())


def _has_changed_since(made: float) -> bool:
    return project_state() > made


def _sources() -> list[Path]:
    sources = [
        DBT_PROJECT_DIR / "dbt_project.yml",
        DBT_PROJECT_DIR / "selectors.yml",
        PROJECT_DIR / "profiles.yml",
    ]
    for folder in WATCHED:
        # Folders too: deleting or moving a file changes only the time of its folder.
        sources += [DBT_PROJECT_DIR / folder, *(DBT_PROJECT_DIR / folder).rglob("*")]
    return sources


def ensure_docs(settings: Settings, *, renew: bool = False) -> None:
    """Generate dbt's documentation in `settings.dbt_target` if it is older than the manifest.

    It is copied to dbt's default folder, so that `dbt docs serve` in `dbt_project/` finds it.

    Args:
        settings: the data folder and environment.
        renew: generate it in any case, because the tables that it describes may be new.

    Raises:
        DbtError: a model does not compile.
    """
    ensure_manifest(settings)
    index = settings.dbt_target / "index.html"
    if renew or not index.exists() or index.stat().st_mtime < settings.manifest.stat().st_mtime:
        with _target_lock(settings):
            run_dbt(["docs", "generate"], settings, quiet=True)
    # An installation may have the project read-only, and nobody works in its folder.
    with suppress(OSError):
        _copy_docs(settings.dbt_target, DBT_PROJECT_DIR / "target")


def _copy_docs(source: Path, target: Path) -> None:
    """Copy what is missing or older there; dbt itself writes the same files in the same folder."""
    target.mkdir(exist_ok=True)
    for name in DOCS:
        old, new = target / name, source / name
        if new.exists() and (not old.exists() or old.stat().st_mtime < new.stat().st_mtime):
            with atomic_write(old) as file:
                shutil.copyfile(new, file)
