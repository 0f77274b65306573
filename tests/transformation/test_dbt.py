"""When dbt's manifest is updated."""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from settings import DBT_PROJECT_DIR, Settings
from tests.parsed import Parsed
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


def write_latest(settings: Settings, begun: datetime) -> str:
    """Write a manifest as a dbt command does that started to read the project at this time."""
    text = json.dumps({"metadata": {"generated_at": begun.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}})
    settings.dbt_target.mkdir(parents=True, exist_ok=True)
    (settings.dbt_target / "manifest.json").write_text(text)
    return text


def test_manifest_of_the_last_command_is_reused_if_nothing_changed(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # dbt would reject it.
    project = tmp_path / "dbt_project.yml"
    project.write_text("models: [wrong")
    monkeypatch.setattr(dbt, "DBT_PROJECT_DIR", tmp_path)
    begun = datetime.now(UTC) + timedelta(seconds=1)
    text = write_latest(settings, begun)
    dbt.ensure_manifest(settings)
    assert settings.manifest.read_text() == text
    # A change while the command was running, before it wrote its manifest.
    changed = begun.timestamp() + 1
    os.utime(project, (changed, changed))
    assert dbt.is_stale(settings)


@pytest.mark.parametrize("cut", [None, 20])
def test_invalid_project_is_an_error_with_dbts_output(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: int | None
) -> None:
    # Older than the project, or newer and incomplete.
    text = write_latest(settings, datetime.now(UTC) + timedelta(hours=1 if cut else -1))
    (settings.dbt_target / "manifest.json").write_text(text[:cut])
    (tmp_path / "dbt_project.yml").write_text("name: sluice\nprofile: sluice\nmodels: [wrong\n")
    monkeypatch.setattr(dbt, "DBT_PROJECT_DIR", tmp_path)
    with pytest.raises(dbt.DbtError, match=r"dbt parse ended with status 2(.|\n)*models: \[wrong"):
        dbt.ensure_manifest(settings)
    assert not settings.manifest.exists()


@pytest.mark.slow
def test_who_needs_the_manifest_while_another_one_parses_waits_for_it(
    settings: Settings, project: Parsed, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.put(settings)
    settings.manifest.unlink()
    (settings.dbt_target / "manifest.json").unlink()
    parses, run_dbt = [], dbt.run_dbt

    def counted(*arguments: Any, **options: Any) -> None:
        parses.append(arguments)
        run_dbt(*arguments, **options)

    monkeypatch.setattr(dbt, "run_dbt", counted)
    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(dbt.ensure_manifest, settings) for _ in range(3)]:
            done.result()
    assert len(parses) == 1
    assert not dbt.is_stale(settings)


def test_docs_served_by_hand_are_complete(settings: Settings, project: Parsed) -> None:
    by_hand = [DBT_PROJECT_DIR / "target" / name for name in ("catalog.json", "manifest.json")]
    for path in by_hand:
        path.unlink(missing_ok=True)
    dbt.ensure_docs(project.put(settings))
    assert [json.loads(path.read_text()).keys() >= {"nodes", "sources"} for path in by_hand] == [True, True]
