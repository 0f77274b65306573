"""The metrics and spans of a run, as a collector on loopback receives them."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from observability.metrics.record import RunResult
from observability.telemetry import ENDPOINT, export
from settings import Settings
from tests.receivers import posts_to

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECRET = "not-for-any-log"


@contextmanager
def collector(status: int = 200) -> Iterator[tuple[str, dict[str, bytes]]]:
    """A collector that answers with a status; its address, and what arrived by path."""
    bodies: dict[str, bytes] = {}

    def take(request: BaseHTTPRequestHandler, body: bytes) -> int:
        is_packed = request.headers["Content-Encoding"] == "gzip"
        bodies[request.path] = gzip.decompress(body) if is_packed else body
        return status

    with posts_to(take) as url:
        yield url, bodies


def stage(name: str, first: int, last: int, error: str | None = None, **rows: int) -> dict:
    times = {"started_at": NOON + timedelta(seconds=first), "ended_at": NOON + timedelta(seconds=last)}
    facts = {"rows_in": None, "rows_out": None, "rows_failed": None} | rows
    status = "failed" if error else "success"
    return {"stage": name, "status": status, "seconds": float(last - first), "error": error, **times, **facts}


RUN = RunResult(
    {
        "domain": "taxi", "run_id": "r", "status": "partial", "started_at": NOON, "ended_at": NOON + timedelta(seconds=9),
        "seconds": 9.0, "rows_in": 100, "rows_out": 90, "error": "a file failed",
    },
    [
        stage("ingest_trips", 0, 4, error="a file failed", rows_in=100, rows_failed=2),
        stage("publish", 8, 9, rows_out=90, rows_failed=8),
    ],
)  # fmt: skip


def test_a_collector_gets_metrics_and_spans(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with collector() as (url, bodies):
        monkeypatch.setenv(ENDPOINT, url)
        export(RUN, settings)
    request = ExportMetricsServiceRequest.FromString(bodies["/v1/metrics"])
    (metrics,) = request.resource_metrics
    names = {each.key: each.value.string_value for each in metrics.resource.attributes}
    assert (names["service.name"], names["sluice.domain"]) == ("sluice", "taxi")
    values: dict[str, dict[str, float]] = {}
    for metric in metrics.scope_metrics[0].metrics:
        for point in metric.gauge.data_points:
            told = {each.key: each.value.string_value for each in point.attributes}
            assert told.pop("domain") == "taxi"
            value = point.as_double if point.HasField("as_double") else point.as_int
            values.setdefault(metric.name, {})[told.get("stage", told.get("status", ""))] = value
    assert values == {
        "sluice.run.duration": {"": 9.0},
        "sluice.run.rows_read": {"": 100},
        "sluice.run.rows_published": {"": 90},
        "sluice.run.rows_rejected": {"": 2},
        "sluice.run.rows_quarantined": {"": 8},
        "sluice.run.status": {"success": 0, "partial": 1, "failed": 0, "skipped": 0},
        "sluice.stage.duration": {"ingest_trips": 4.0, "publish": 1.0},
    }
    traces = ExportTraceServiceRequest.FromString(bodies["/v1/traces"])
    spans = {span.name: span for span in traces.resource_spans[0].scope_spans[0].spans}
    assert spans.keys() == {"run taxi", "ingest_trips", "publish"}
    whole, ingest = spans["run taxi"], spans["ingest_trips"]
    assert ingest.parent_span_id == whole.span_id
    assert ingest.end_time_unix_nano - ingest.start_time_unix_nano == 4_000_000_000
    assert ingest.status.message == "a file failed"


def test_nothing_is_sent_without_a_receiver(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with collector() as (_, bodies):
        monkeypatch.delenv(ENDPOINT, raising=False)
        export(RUN, settings)
    assert bodies == {}


@pytest.mark.parametrize("status", [400, None])
def test_a_receiver_that_refuses_or_is_gone_fails_no_run_and_no_header_is_said(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, status: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"authorization={SECRET}")
    with collector(status or 200) as (url, _):
        monkeypatch.setenv(ENDPOINT, url if status else "http://127.0.0.1:9")
        export(RUN, settings)
    assert f"{ENDPOINT}: the receiver has not taken the telemetry of the run" in caplog.text
    assert SECRET not in caplog.text
