"""The dbt project, parsed and documented once for all test processes.

A new data folder gets a copy, because dbt parses the project for 5 s of a core and Airflow's start generates the
documentation, which takes as long again. dbt compares the copy with the project's files, as after any change.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from pprint import pformat

from lineage.graph import Lineage
from lineage.models import resolve_models
from settings import DBT_PROJECT_DIR, Settings
from tests.once import once
from transformation.dbt import ensure_docs
from transformation.manifest import Manifest

FILES = ("manifest.json", "catalog.json", "index.html")
PARSED = "partial_parse.msgpack"
COMPILED = "compiled_manifest.json"
PRINT_CONNECTION = Path(__file__).parent / "programs" / "print_dbt_connection.py"


class Parsed:
    """The parsed project, in a folder that all test processes share."""

    def __init__(self, folder: Path) -> None:
        """Parse the project unless another process has."""
        folder.mkdir(exist_ok=True)
        settings = Settings(data_dir=folder, env="dev")
        self._target = settings.dbt_target
        self._connection = once(folder / "connection.json", lambda: _parse(settings))
        self._content = (self._target / PARSED).read_bytes()
        assert self._content.count(_digest(self._connection)) == 1

    @cached_property
    def lineage(self) -> Lineage:
        """The lineage of all models, from the SQL that they have when nothing is built."""
        return lineage_of(self._target / COMPILED)

    def put(self, settings: Settings) -> Settings:
        """Copy the parsed project into a new data folder; in an environment other than dev, dbt parses again."""
        settings.dbt_target.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            shutil.copyfile(self._target / name, settings.dbt_target / name)
        shutil.copyfile(self._target / "manifest.json", settings.manifest)
        digest = _digest(self._connection | {"path": str(settings.warehouse)})
        content = self._content.replace(_digest(self._connection), digest)
        (settings.dbt_target / PARSED).write_bytes(content)
        # Newer than the manifest, so that it counts as its documentation.
        (settings.dbt_target / "index.html").touch()
        return settings


def lineage_of(manifest: Path, domains: Sequence[str] = ()) -> Lineage:
    """Return the lineage of the models of some domains or of all, from a manifest with their compiled SQL."""
    read = Manifest(json.loads(manifest.read_text()))
    found = []
    for domain in domains or read.domains:
        lineage, problems = resolve_models(read, domain, read.adapter, {})
        assert problems == []
        found.append(lineage)
    return Lineage.merged(found)


def _parse(settings: Settings) -> dict:
    ensure_docs(settings)
    # The next command of dbt leaves the compiled SQL out.
    shutil.copyfile(settings.dbt_target / "manifest.json", settings.dbt_target / COMPILED)
    done = subprocess.run(
        [sys.executable, str(PRINT_CONNECTION)],
        cwd=DBT_PROJECT_DIR,
        env={**os.environ, **settings.environment()},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def _digest(connection: dict) -> bytes:
    """Hash the connection as dbt.parser.manifest does: if it differs, dbt discards what it has parsed."""
    return hashlib.sha256(pformat(sorted(connection.items())).encode()).hexdigest().encode()
