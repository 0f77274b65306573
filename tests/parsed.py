"""What dbt makes of the project, and its documentation: made once for all processes that run tests.

A new data folder gets a copy. dbt parses the project for 5 s of a core, and Airflow's start has it documented, which
takes as long again. What dbt finds there it compares with the project's files, as after any change of them.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from pprint import pformat

from settings import DBT_PROJECT_DIR, Settings
from tests.once import once
from transformation.dbt import ensure_docs

FILES = ("manifest.json", "catalog.json", "index.html")
PARSED = "partial_parse.msgpack"
# If any of this differs, dbt takes what it has parsed for that of another warehouse.
CONNECTION = """
import json
from dbt.adapters.factory import FACTORY
from dbt.cli.main import dbtRunner

assert dbtRunner().invoke(["--quiet", "parse"]).success
print(json.dumps(dict(FACTORY.adapters["duckdb"].config.credentials.connection_info())))
"""


class Parsed:
    """The project as dbt has parsed it, in a folder that all processes that run tests share."""

    def __init__(self, folder: Path) -> None:
        """Parse it, unless another process has."""
        folder.mkdir(exist_ok=True)
        settings = Settings(data_dir=folder, env="dev")
        self._target = settings.dbt_target
        self._connection = once(folder / "connection.json", lambda: _parse(settings))
        self._content = (self._target / PARSED).read_bytes()
        assert self._content.count(_digest(self._connection)) == 1

    def put(self, settings: Settings) -> Settings:
        """Put it into a new data folder, as if it was parsed there a moment ago.

        Of another environment than dev, dbt itself parses again.
        """
        settings.dbt_target.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            shutil.copyfile(self._target / name, settings.dbt_target / name)
        shutil.copyfile(self._target / "manifest.json", settings.manifest)
        digest = _digest(self._connection | {"path": str(settings.warehouse)})
        content = self._content.replace(_digest(self._connection), digest)
        (settings.dbt_target / PARSED).write_bytes(content)
        # The documentation is of this manifest.
        (settings.dbt_target / "index.html").touch()
        return settings


def _parse(settings: Settings) -> dict:
    ensure_docs(settings)
    done = subprocess.run(
        [sys.executable, "-c", CONNECTION],
        cwd=DBT_PROJECT_DIR,
        env={**os.environ, **settings.environment()},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def _digest(connection: dict) -> bytes:
    """As dbt.parser.manifest computes it."""
    return hashlib.sha256(pformat(sorted(connection.items())).encode()).hexdigest().encode()
