"""Sending: to a server and into a file, with dead and silent receivers."""

import json
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from openlineage.client.event_v2 import Job, JobEvent

from observability.metrics.record import RunResult
from observability.openlineage.emit import emit
from observability.openlineage.send import send
from settings import OpenLineage, Settings, SettingsError
from tests.parsed import Parsed
from tests.receivers import LineageReceiver, lineage_receiver, silent_receiver

SECRET = "not-for-any-log"
DEAD = "http://127.0.0.1:9"
ENDED = datetime(2024, 5, 1, 12, tzinfo=UTC)
STAGE = {"error": None, "rows_out": 3, "rows_in": 3, "rows_failed": 0, "status": "success"}


@pytest.fixture
def receiver() -> Iterator[LineageReceiver]:
    with lineage_receiver() as receiver:
        yield receiver


def result(status: str = "failed", stages: int = 1) -> RunResult:
    times = {"started_at": ENDED - timedelta(minutes=1), "ended_at": ENDED}
    run = {"domain": "taxi", "run_id": "r1", "status": status, "error": "it broke", **times}
    loads = [{"stage": f"ingest_trips_2024-{month:02d}", **STAGE, **times} for month in range(1, stages + 1)]
    return RunResult(run, loads)


def settings_for(settings: Settings, url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("SLUICE_OPENLINEAGE_URL", url)
    monkeypatch.setenv("SLUICE_OPENLINEAGE_API_KEY", SECRET)
    # A proxy would answer for the receiver.
    monkeypatch.setenv("NO_PROXY", "*")
    return Settings(data_dir=settings.data_dir)


def names(events: list[dict]) -> list[tuple[str, str]]:
    return [(event["eventType"], event["job"]["name"]) for event in events]


def test_a_run_starts_and_ends_and_so_does_each_part(
    settings: Settings, project: Parsed, receiver: LineageReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = settings_for(project.put(settings), receiver.url, monkeypatch)
    emit(result(), own)
    assert sorted(names(receiver.events)) == [
        ("COMPLETE", "taxi.ingest_trips"),
        ("FAIL", "taxi"),
        ("START", "taxi"),
        ("START", "taxi.ingest_trips"),
    ]
    assert set(receiver.authorizations) == {f"Bearer {SECRET}"}
    # Sent again, the runs are the same.
    runs = {event["run"]["runId"] for event in receiver.events}
    emit(result(), own)
    assert {event["run"]["runId"] for event in receiver.events} == runs
    assert len(runs) == 2


def test_each_run_starts_before_it_ends(
    settings: Settings, project: Parsed, receiver: LineageReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    emit(result(stages=12), settings_for(project.put(settings), receiver.url, monkeypatch))
    assert len(receiver.events) == 26
    for position, event in enumerate(receiver.events):
        if event["eventType"] != "START":
            before = [
                each["run"]["runId"] for each in receiver.events[:position] if each["eventType"] == "START"
            ]
            assert event["run"]["runId"] in before


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_a_file_gets_the_events_of_all_runs(
    settings: Settings, project: Parsed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    file = tmp_path / "new" / "events.jsonl"
    own = settings_for(project.put(settings), form.format(file), monkeypatch)
    emit(result(), own)
    emit(result(), own)
    events = [json.loads(line) for line in file.read_text().splitlines()]
    assert names(events)[:2] == [("START", "taxi"), ("FAIL", "taxi")]
    assert len(events) == 8


def test_a_dead_receiver_is_one_warning_without_secrets(
    settings: Settings, project: Parsed, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    own = settings_for(project.put(settings), f"{DEAD}/{SECRET}", monkeypatch)
    emit(result(), own)
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert warning == "SLUICE_OPENLINEAGE_URL: 4 of 4 events were not sent: ConnectionError"
    assert SECRET not in caplog.text


def test_a_silent_receiver_delays_a_run_by_two_seconds_at_most(caplog: pytest.LogCaptureFixture) -> None:
    event = JobEvent(eventTime=ENDED.isoformat(), job=Job("sluice://dev", "taxi"))
    with silent_receiver() as url:
        access = OpenLineage(url=url)
        begun = time.monotonic()
        send([[event]] * 100, access)
        assert 1 < time.monotonic() - begun < 2
    assert "100 of 100 events were not sent: no time was left" in caplog.text


def test_a_receiver_that_refuses_is_not_asked_for_the_rest(
    settings: Settings,
    project: Parsed,
    receiver: LineageReceiver,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    receiver.status = 401
    emit(result(), settings_for(project.put(settings), receiver.url, monkeypatch))
    assert "4 of 4 events were not sent: HTTPError" in caplog.text


def test_nothing_is_sent_of_a_skipped_run_or_without_a_receiver(
    settings: Settings, project: Parsed, receiver: LineageReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    emit(result(), project.put(settings))
    emit(result("skipped"), settings_for(settings, receiver.url, monkeypatch))
    assert receiver.events == []


def test_an_unreadable_manifest_fails_no_run(
    settings: Settings,
    receiver: LineageReceiver,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    emit(result(), settings_for(settings, receiver.url, monkeypatch))
    assert "SLUICE_OPENLINEAGE_URL: the lineage of the run is not sent: ManifestError" in caplog.text


@pytest.mark.parametrize(
    "text",
    ["https://user:not-for-any-log@example.org", "s3://not-for-any-log/events", "ftp://not-for-any-log"],
)
def test_a_wrong_address_is_named_without_its_secret(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SLUICE_OPENLINEAGE_URL", text)
    with pytest.raises(SettingsError, match="^SLUICE_OPENLINEAGE_URL: must be a URL such as") as caught:
        OpenLineage()
    assert SECRET not in str(caught.value)
