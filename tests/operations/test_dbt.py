"""When dbt's manifest has to be made anew."""

import os
import time
from pathlib import Path

import pytest

from operations import dbt
from settings import Settings


def test_a_changed_model_makes_the_manifest_stale(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "models" / "a.sql"
    model.parent.mkdir()
    model.write_text("select 1")
    monkeypatch.setattr(dbt, "DBT_PROJECT_DIR", tmp_path)
    assert dbt.is_stale(settings)
    settings.manifest.parent.mkdir(parents=True)
    settings.manifest.touch()
    assert not dbt.is_stale(settings)
    later = time.time() + 5
    os.utime(model, (later, later))
    assert dbt.is_stale(settings)


def test_a_project_that_dbt_refuses_is_an_error_with_its_words(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dbt_project.yml").write_text("name: sluice\nprofile: sluice\nmodels: [wrong\n")
    monkeypatch.setattr(dbt, "DBT_PROJECT_DIR", tmp_path)
    with pytest.raises(dbt.DbtError, match=r"dbt parse ended with status 2(.|\n)*models: \[wrong"):
        dbt.ensure_manifest(settings)
    assert not settings.manifest.exists()
