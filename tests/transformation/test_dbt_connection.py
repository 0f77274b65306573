"""dbt by hand, in a data folder that nothing has used yet."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from settings import DBT_PROJECT_DIR, Settings


@pytest.mark.slow
def test_dbt_creates_the_folder_of_the_warehouse(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "not there yet")
    debug = subprocess.run(
        [Path(sys.executable).with_name("dbt"), "debug", "--connection", "--log-path", str(tmp_path)],
        cwd=DBT_PROJECT_DIR,
        env=os.environ | settings.environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert debug.returncode == 0, debug.stdout
    assert settings.warehouse.exists()
