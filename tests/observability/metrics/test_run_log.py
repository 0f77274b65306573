"""The run log: what stages record, and when a process may remove it."""

import multiprocessing
import threading
import time
from datetime import UTC, datetime

import pytest

from observability.metrics.run_log import LoggedRun, claim_runs, mark_finished, mark_repaired, stage
from settings import Settings
from tests.kill_at import run_to_death


def logged(settings: Settings) -> list[LoggedRun]:
    with claim_runs("things", settings) as found:
        return found


def only(settings: Settings) -> dict:
    (run,) = logged(settings)
    (row,) = run.stages
    return row


def fail(settings: Settings, message: str) -> str:
    with pytest.raises(RuntimeError), stage("things", "r", "build", settings):
        raise RuntimeError(message)
    return only(settings)["error"]


def test_a_stage_records_its_times_rows_and_note(settings: Settings) -> None:
    before = datetime.now(UTC)
    with stage("things", "r", "publish", settings) as metrics:
        metrics.rows_in, metrics.rows_out, metrics.rows_failed = 3, 2, 1
        metrics.note = "by hand"
    row = only(settings)
    started, ended = row.pop("started_at"), row.pop("ended_at")
    assert before <= started <= ended <= datetime.now(UTC)
    assert row == {
        "stage": "publish",
        "status": "success",
        "seconds": (ended - started).total_seconds(),
        "rows_in": 3,
        "rows_out": 2,
        "rows_failed": 1,
        "tries": 1,
        "error": None,
        "note": "by hand",
    }


def test_a_stage_may_be_named_after_a_file_with_the_longest_name(settings: Settings) -> None:
    names = [f"ingest_sales_{'é' * 121}{end}.parquet" for end in "ab"]
    for name in [*names, names[0]]:
        with stage("things", "r", name, settings):
            pass
    mark_repaired("things", "r", names[0], settings, "made good")
    (run,) = logged(settings)
    assert sorted(row["tries"] for row in run.stages) == [1, 2]
    assert all(row["stage"].startswith("ingest_sales_éé") for row in run.stages)
    run.remove()
    assert logged(settings) == []


def test_the_last_try_of_a_stage_counts(settings: Settings) -> None:
    fail(settings, "at first")
    with stage("things", "r", "build", settings) as metrics:
        metrics.rows_out = 7
    row = only(settings)
    assert (row["status"], row["error"], row["tries"], row["rows_out"]) == ("success", None, 2, 7)


def test_the_metrics_of_a_failed_stage_are_kept(settings: Settings) -> None:
    def load() -> None:
        with stage("things", "r", "ingest_a", settings) as metrics:
            metrics.rows_failed = 3
            raise RuntimeError("one file is bad")

    with pytest.raises(RuntimeError):
        load()
    assert only(settings)["rows_failed"] == 3


def test_the_first_and_the_last_line_of_an_error_are_kept(settings: Settings) -> None:
    message = "Error in model a\n  it is\n\n  quite full\n\n  > in macro m\n  > called by model a\n"
    assert fail(settings, message) == "Error in model a … quite full"
    assert fail(settings, "it is full\n") == "it is full"


def test_an_error_without_a_message_has_the_name_of_its_type(settings: Settings) -> None:
    assert fail(settings, "") == "RuntimeError"


@pytest.mark.parametrize(
    ("message", "noted"),
    [
        ("get https://me:pa55word@host/x failed", "get https://***@host/x failed"),
        ("get https://host/x?api_key=abc&page=2", "get https://host/x?api_key=***&page=2"),
        ("connect: password=pa55word host=db", "connect: password=*** host=db"),
        ("the server rejects s3cret-of-mine", "the server rejects ***"),
        ("post to https://hooks.example.org/T0/B0 failed", "post to *** failed"),
    ],
)
def test_a_recorded_error_contains_no_secret(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, message: str, noted: str
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "s3cret-of-mine")
    monkeypatch.setenv("SLUICE_NOTIFY_WEBHOOK_URL", "https://hooks.example.org/T0/B0")
    assert fail(settings, message) == noted


def test_ctrl_c_interrupts_a_stage(settings: Settings) -> None:
    with pytest.raises(KeyboardInterrupt), stage("things", "r", "build", settings):
        raise KeyboardInterrupt
    row = only(settings)
    assert (row["status"], row["error"]) == ("failed", "interrupted")
    assert row["ended_at"] is not None


def test_a_repaired_stage_has_not_failed(settings: Settings) -> None:
    mark_repaired("things", "r", "build", settings, "never ran")
    fail(settings, "one model")
    mark_repaired("things", "r", "build", settings, "by a retry")
    row = only(settings)
    assert (row["status"], row["error"], row["note"], row["tries"]) == ("success", None, "by a retry", 1)
    mark_repaired("things", "r", "build", settings, "again")
    assert only(settings)["note"] == "by a retry"


def test_a_run_may_have_any_name(settings: Settings) -> None:
    names = ["manual__2026-01-01T02:00:00+00:00", "a/b", "../c", "d %2F é"]
    for name in names:
        mark_finished("things", name, settings)
    assert sorted(run.run_id for run in logged(settings)) == sorted(names)
    assert {path.parent for path in settings.data_dir.rglob("finished.json")} == {
        run.folder for run in logged(settings)
    }


def test_environments_and_domains_are_separate(settings: Settings) -> None:
    mark_finished("others", "r", settings)
    mark_finished("things", "r", Settings(data_dir=settings.data_dir, env="prod"))
    assert logged(settings) == []


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    ("call", "stages"),
    [
        (1, {"ingest_a": "interrupted"}),
        (2, {"ingest_a": None}),
        (3, {"ingest_a": None, "build": "interrupted"}),
        (6, {"ingest_a": None, "build": None, "publish": None}),
    ],
)
def test_a_killed_run_leaves_what_it_recorded(
    settings: Settings, moment: str, call: int, stages: dict[str, str | None]
) -> None:
    point = ("observability.metrics.run_log:_append", moment, call)
    run_to_death(point, settings, "tests.observability.metrics.logged_run", "r")
    found = {row["stage"]: row["error"] for run in logged(settings) for row in run.stages}
    if moment == "before":
        # The event that was to be appended is missing.
        name = list(stages)[-1]
        stages = {**stages, name: "interrupted"}
        if call % 2:
            del stages[name]
    assert found == stages


def test_half_a_line_of_a_killed_process_affects_no_other(settings: Settings) -> None:
    with stage("things", "r", "build", settings):
        pass
    (path,) = settings.data_dir.rglob("build.jsonl")
    path.write_text(path.read_text()[:-20])
    assert only(settings)["error"] == "interrupted"
    with stage("things", "r", "build", settings):
        pass
    assert (only(settings)["error"], only(settings)["tries"]) == (None, 2)


def test_an_empty_file_is_no_stage(settings: Settings) -> None:
    folder = settings.run_logs("things") / "r"
    folder.mkdir(parents=True)
    (folder / "build.jsonl").touch()
    (run,) = logged(settings)
    assert run.stages == []
    run.remove()
    assert not folder.exists()


def _hold(settings: Settings, running, ending) -> None:
    with stage("things", "r", "build", settings):
        running.set()
        ending.wait(30)


def test_a_run_with_a_running_stage_is_not_claimed(settings: Settings) -> None:
    spawn = multiprocessing.get_context("spawn")
    running, ending = spawn.Event(), spawn.Event()
    process = spawn.Process(target=_hold, args=(settings, running, ending))
    with stage("things", "r", "ingest_a", settings):
        pass
    process.start()
    assert running.wait(30)
    assert logged(settings) == []
    ending.set()
    process.join()
    assert [row["status"] for row in logged(settings)[0].stages] == ["success", "success"]


def test_a_stage_that_starts_while_its_run_is_removed_is_not_lost(settings: Settings) -> None:
    with stage("things", "r", "ingest_a", settings):
        pass

    def again() -> None:
        with stage("things", "r", "ingest_a", settings) as metrics:
            metrics.rows_in = 5

    thread = threading.Thread(target=again)
    with claim_runs("things", settings) as (run,):
        thread.start()
        time.sleep(0.2)
        run.remove()
    thread.join(timeout=10)
    assert (only(settings)["rows_in"], only(settings)["tries"]) == (5, 1)


def test_a_process_that_outlives_its_run_does_not_block_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("observability.metrics.run_log.CLOSE_SECONDS", 0.2)
    with stage("things", "r", "build", settings):
        mark_finished("things", "r", settings)
        assert only(settings)["error"] == "interrupted"
