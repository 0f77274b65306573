"""A checkout with secrets, as somebody has it who is about to start the deployment."""

import subprocess
from pathlib import Path

import pytest
from dotenv import dotenv_values

from bench.measuring import copy_checkout
from settings import PROJECT_DIR


def make_env(folder: Path) -> subprocess.CompletedProcess[str]:
    """Write the secrets into a folder, as `make env` does in the project's."""
    script = PROJECT_DIR / "deployment" / "env.sh"
    return subprocess.run(["sh", script, folder / ".env"], capture_output=True, text=True)


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What is in a new `.env`."""
    folder = tmp_path_factory.mktemp("env")
    assert make_env(folder).returncode == 0
    return dict(dotenv_values(folder / ".env"))


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the project with a new `.env`."""
    code = copy_checkout(tmp_path_factory.mktemp("image"))
    assert make_env(code).returncode == 0
    return code
