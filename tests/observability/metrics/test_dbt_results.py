"""Results of dbt commands are kept once per invocation, and never stop a run."""

import json
from pathlib import Path

import pytest

from observability.metrics.dbt_results import keep_results, read_results, save_results
from settings import Settings
from tests.forks import run_dbt
from tests.parsed import Parsed
from transformation.dbt import DbtError
from transformation.results import RESULTS


def kept(settings: Settings) -> list[dict]:
    return [row for file in settings.dbt_results.glob("*.json") for row in read_results(file)]


@pytest.mark.slow
def test_results_are_kept_also_of_a_failed_command(settings: Settings, project: Parsed) -> None:
    project.put(settings)
    with keep_results("taxi", "r", settings) as own:
        run_dbt(["seed", "--select", "taxi_zones"], settings, variables=own)
    (zones,) = kept(settings)
    assert (zones["pipeline"], zones["run_id"], zones["status"]) == ("taxi", "r", "success")
    assert zones["unique_id"] == "seed.sluice.taxi_zones"
    assert zones["started_at"] < zones["ended_at"]
    with pytest.raises(DbtError), keep_results("taxi", "s", settings) as own:
        run_dbt(["build", "--select", "fct_trips"], settings, variables=own)
    failed = [row for row in kept(settings) if row["run_id"] == "s"]
    assert "error" in {row["status"] for row in failed}
    # A command that fails before its nodes leaves nothing, not even the results of the previous command.
    with pytest.raises(DbtError), keep_results("taxi", "t", settings) as own:
        run_dbt(["build", "--no-such-option"], settings, variables=own)
    assert {row["run_id"] for row in kept(settings)} == {"r", "s"}


def test_a_damaged_results_file_is_logged_and_stops_nothing(
    settings: Settings, tmp_path: Path, caplog
) -> None:
    (tmp_path / RESULTS).write_text('{"metadata": ')
    save_results(tmp_path, "taxi", "r", settings)
    assert "results of dbt are not kept" in caplog.text
    assert kept(settings) == []


def test_a_secret_in_a_message_is_not_kept(settings: Settings, tmp_path: Path) -> None:
    result = {
        "unique_id": "model.sluice.a",
        "status": "error",
        "timing": [],
        "execution_time": 0.1,
        "message": "could not connect: password=hunter2",
    }
    (tmp_path / RESULTS).write_text(json.dumps({"metadata": {"invocation_id": "i"}, "results": [result]}))
    save_results(tmp_path, "taxi", "r", settings)
    (row,) = kept(settings)
    assert row["message"] == "could not connect: password=***"
    assert row["started_at"] is None
