"""The dbt manifest that the DAGs are made of."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from settings import DBT_PROJECT_DIR, PROJECT_DIR, Settings

WATCHED = ("models", "macros", "seeds", "snapshots", "tests")


class ManifestError(RuntimeError):
    """dbt could not read its project; the message is what dbt said."""


def manifest_path(settings: Settings) -> Path:
    """The manifest that the DAGs read.

    It is not the one in dbt's target folder: every dbt command rewrites that one in place, and a task
    that starts at that moment would read half of it.
    """
    return settings.data_dir / "dbt" / "dags" / "manifest.json"


def is_stale(manifest: Path) -> bool:
    """Whether the manifest is missing or older than a file or folder of the dbt project."""
    if not manifest.exists():
        return True
    made = manifest.stat().st_mtime
    sources = [DBT_PROJECT_DIR / "dbt_project.yml", PROJECT_DIR / "profiles.yml"]
    for folder in WATCHED:
        # Folders count too: a file that was deleted or moved changes only its folder's time.
        sources += [DBT_PROJECT_DIR / folder, *(DBT_PROJECT_DIR / folder).rglob("*")]
    return any(path.exists() and path.stat().st_mtime > made for path in sources)


def ensure_manifest(settings: Settings) -> Path:
    """Make the manifest anew if the dbt project has changed; return its path.

    Raises:
        ManifestError: dbt refused the project.
    """
    manifest = manifest_path(settings)
    if is_stale(manifest):
        dbt = [sys.executable, "-m", "dbt.cli.main", "--quiet", "parse"]
        parse = subprocess.run(
            [*dbt, "--project-dir", str(DBT_PROJECT_DIR)],
            env={**os.environ, **settings.environment()},
            cwd=PROJECT_DIR,
            capture_output=True,
            text=True,
        )
        if parse.returncode:
            raise ManifestError(f"dbt parse failed:\n{parse.stdout}{parse.stderr}".strip())
        manifest.parent.mkdir(parents=True, exist_ok=True)
        copy = manifest.with_suffix(".new")
        shutil.copyfile(settings.dbt_target / "manifest.json", copy)
        copy.replace(manifest)
    return manifest
