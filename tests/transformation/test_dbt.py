"""When dbt's manifest has to be made anew."""

import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from settings import Settings
from transformation import dbt


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


def left(settings: Settings, begun: datetime) -> str:
    """dbt's manifest as a command leaves it that began to read the project at a time."""
    text = json.dumps({"metadata": {"generated_at": begun.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}})
    settings.dbt_target.mkdir(parents=True, exist_ok=True)
    (settings.dbt_target / "manifest.json").write_text(text)
    return text


def test_what_dbts_last_command_has_left_is_taken_if_nothing_has_changed_since(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Which dbt would refuse.
    project = tmp_path / "dbt_project.yml"
    project.write_text("models: [wrong")
    monkeypatch.setattr(dbt, "DBT_PROJECT_DIR", tmp_path)
    begun = datetime.now(UTC) + timedelta(seconds=1)
    text = left(settings, begun)
    dbt.ensure_manifest(settings)
    assert settings.manifest.read_text() == text
    # A change while that command was at work, before it wrote its manifest.
    changed = begun.timestamp() + 1
    os.utime(project, (changed, changed))
    assert dbt.is_stale(settings)


@pytest.mark.parametrize("cut", [None, 20])
def test_a_project_that_dbt_refuses_is_an_error_with_its_words(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: int | None
) -> None:
    # Older than the project, or half of one that is younger.
    text = left(settings, datetime.now(UTC) + timedelta(hours=1 if cut else -1))
    (settings.dbt_target / "manifest.json").write_text(text[:cut])
    (tmp_path / "dbt_project.yml").write_text("name: sluice\nprofile: sluice\nmodels: [wrong\n")
    monkeypatch.setattr(dbt, "DBT_PROJECT_DIR", tmp_path)
    with pytest.raises(dbt.DbtError, match=r"dbt parse ended with status 2(.|\n)*models: \[wrong"):
        dbt.ensure_manifest(settings)
    assert not settings.manifest.exists()
