"""The metrics of runs in the warehouse: each run is recorded once, even after a kill."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from observability.metrics.ops_store import MetricsError
from observability.metrics.record import record
from observability.metrics.run_log import stage
from settings import Settings
from tests.holding import held
from tests.kill_at import COMPLETE, INSERT, MERGE, named, run_to_death
from tests.observability.metrics.logged_run import run
from warehouse import WarehouseBusyError, connect

POINTS = [
    ("observability.metrics.record:mark_finished", "before", 1),
    ("observability.metrics.record:mark_finished", "after", 1),
    ("dlt.normalize.normalize:Normalize.run", "after", 1),
    (INSERT, "after", 2),
    (MERGE, "after", 1),
    (COMPLETE, "before", 1),
    (COMPLETE, "after", 1),
    ("pathlib:Path.unlink", "after", 2),
    ("pathlib:Path.unlink", "after", 4),
]


def table(settings: Settings, name: str, columns: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(settings.warehouse), read_only=True) as warehouse:
        return warehouse.execute(f"select {columns} from raw_ops.{name} order by all").fetchall()


def runs(settings: Settings, columns: str = "run_id, status, error") -> list[tuple[Any, ...]]:
    return table(settings, "runs", columns)


def stages(settings: Settings, columns: str = "run_id, stage, status, error") -> list[tuple[Any, ...]]:
    return table(settings, "stages", columns)


def fail(settings: Settings, run_id: str, name: str) -> None:
    with pytest.raises(RuntimeError), stage("things", run_id, name, settings):
        raise RuntimeError(f"{name} does not work")


def succeed(settings: Settings, run_id: str, *names: str) -> None:
    for name in names:
        with stage("things", run_id, name, settings):
            pass


def test_a_run_and_each_of_its_stages_has_one_row(settings: Settings) -> None:
    run("r")
    columns = "domain, run_id, status, rows_in, rows_out, rows_failed, error"
    assert runs(settings, columns) == [("things", "r", "success", 10, 5, 3, None)]
    columns = "domain, run_id, stage, status, rows_in, rows_out, rows_failed, tries, error, note"
    assert stages(settings, columns) == [
        ("things", "r", "build", "success", None, None, None, 1, None, None),
        ("things", "r", "ingest_a", "success", 10, 8, 2, 1, None, None),
        ("things", "r", "publish", "success", 10, 5, 1, 1, None, None),
    ]
    spans = (
        "started_at = (select min(started_at) from raw_ops.stages), seconds = epoch(ended_at - started_at)"
    )
    assert runs(settings, spans) == [(True, True)]
    assert not settings.run_logs("things").joinpath("r").exists()


@pytest.mark.parametrize(
    ("failing", "status"), [("ingest_a", "failed"), ("publish", "failed"), ("reports", "partial")]
)
def test_the_failed_stage_decides_the_status(settings: Settings, failing: str, status: str) -> None:
    names = ["ingest_a", "publish", "reports"]
    succeed(settings, "r", *names[: names.index(failing)])
    fail(settings, "r", failing)
    record("things", settings, "r")
    assert runs(settings) == [("r", status, f"{failing} does not work")]


def test_a_task_that_never_started_counts_as_failed(settings: Settings) -> None:
    succeed(settings, "r", "publish")
    record("things", settings, "r", failed=["write_reports"])
    assert runs(settings) == [("r", "partial", "write_reports failed")]


def test_a_run_without_publication_failed_unless_it_had_no_stage(settings: Settings) -> None:
    record("things", settings, "empty")
    succeed(settings, "r", "ingest_a")
    record("things", settings, "r")
    assert runs(settings) == [
        ("empty", "skipped", None),
        ("r", "failed", "nothing was published"),
    ]


def test_a_crashed_run_is_recorded_by_the_next_one(settings: Settings) -> None:
    point = ("observability.metrics.run_log:_append", "after", 3)
    run_to_death(point, settings, "tests.observability.metrics.logged_run", "crashed")
    run("next")
    assert runs(settings, "run_id, status, error, rows_in, seconds is null") == [
        ("crashed", "failed", "interrupted", 10, True),
        ("next", "success", None, 10, False),
    ]
    assert stages(settings)[:2] == [
        ("crashed", "build", "failed", "interrupted"),
        ("crashed", "ingest_a", "success", None),
    ]
    assert list(settings.run_logs("things").iterdir()) == []


def test_a_run_between_two_stages_is_corrected_at_its_end(settings: Settings) -> None:
    with stage("things", "paused", "ingest_a", settings) as metrics:
        metrics.rows_in = 4
    fail(settings, "paused", "publish")
    run("other")
    assert runs(settings)[1] == ("paused", "failed", "publish does not work")
    succeed(settings, "paused", "publish")
    record("things", settings, "paused")
    assert runs(settings, "run_id, status, rows_in") == [("other", "success", 10), ("paused", "success", 4)]
    assert len(stages(settings)) == 5


def test_a_run_killed_after_publication_is_partial(settings: Settings) -> None:
    succeed(settings, "r", "ingest_a", "publish")
    record("things", settings)
    assert runs(settings) == [("r", "partial", "interrupted")]


def test_the_log_of_another_domain_stays(settings: Settings) -> None:
    succeed(settings, "r", "publish")
    record("others", settings, "o")
    assert runs(settings, "domain, run_id") == [("others", "o")]
    assert (settings.run_logs("things") / "r").exists()


def test_nothing_to_record_writes_nothing(settings: Settings) -> None:
    record("things", settings)
    assert not settings.dlt_dir.exists()


def test_a_busy_warehouse_leaves_the_log_unchanged(settings: Settings) -> None:
    with held(settings.warehouse):
        succeed(settings, "r", "publish")
        with pytest.raises(WarehouseBusyError):
            record("things", settings, "r", wait_seconds=0.1)
    record("things", settings)
    assert runs(settings) == [("r", "success", None)]


def test_a_failed_load_leaves_the_log_unchanged(settings: Settings) -> None:
    with connect(settings) as warehouse:
        warehouse.execute("create schema raw_ops")
        warehouse.execute("create view raw_ops.runs as select 1 as domain")
    succeed(settings, "r", "publish")
    with pytest.raises(MetricsError, match="raw_ops"):
        record("things", settings, "r")
    with connect(settings) as warehouse:
        warehouse.execute("drop view raw_ops.runs")
    run("next")
    assert runs(settings) == [("next", "success", None), ("r", "success", None)]


def test_a_deleted_warehouse_starts_empty(settings: Settings) -> None:
    run("lost")
    settings.warehouse.unlink()
    run("next")
    assert runs(settings) == [("next", "success", None)]


@pytest.mark.parametrize("point", POINTS, ids=named)
def test_a_killed_record_loses_and_duplicates_nothing(
    point: tuple[str, str, int], settings: Settings
) -> None:
    run("earlier")
    run_to_death(point, settings, "tests.observability.metrics.logged_run", "killed")
    run("next")
    # Killed before it recorded its end, the run counts as interrupted.
    unfinished = point == ("observability.metrics.record:mark_finished", "before", 1)
    assert runs(settings, "run_id, status, error, rows_in, rows_out, rows_failed") == [
        ("earlier", "success", None, 10, 5, 3),
        ("killed", *(("partial", "interrupted") if unfinished else ("success", None)), 10, 5, 3),
        ("next", "success", None, 10, 5, 3),
    ]
    assert [(run_id, name) for run_id, name, *_ in stages(settings)] == [
        (run_id, name)
        for run_id in ("earlier", "killed", "next")
        for name in ("build", "ingest_a", "publish")
    ]
    assert list(Path(settings.run_logs("things")).iterdir()) == []
