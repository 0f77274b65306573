"""Metrics and traces of runs, by OpenTelemetry: off unless its own variable `OTEL_EXPORTER_OTLP_ENDPOINT` is set.

Names of metrics follow OpenTelemetry's rules; values are those of the metrics in `raw_ops`.
"""

import logging
import os
from datetime import datetime
from typing import TYPE_CHECKING, Any

from observability.metrics.record import RunResult
from publishing.readers import published_at
from settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
# A receiver that does not answer keeps a run from ending for so long.
TIMEOUT_SECONDS = 5
# Name, unit and description of what a run measures, by its column or attribute.
METRICS = {
    "seconds": ("sluice.run.duration", "s", "Duration of the run."),
    "rows_in": ("sluice.run.rows_read", "{row}", "Rows that the run read."),
    "rows_out": ("sluice.run.rows_published", "{row}", "Rows that it published."),
    "rows_rejected": ("sluice.run.rows_rejected", "{row}", "Lines that could not be split into columns."),
    "rows_quarantined": ("sluice.run.rows_quarantined", "{row}", "Rows in quarantine."),
}
STATUS = ("sluice.run.status", "1", "1 for the status that the run has.")
AGE = ("sluice.published.age", "s", "Age of what readers see.")
STAGE = ("sluice.stage.duration", "s", "Duration of a stage.")

log = logging.getLogger(__name__)


def export(result: RunResult, settings: Settings) -> None:
    """Send the metrics of a run that has ended and the spans of its stages, if there is a receiver.

    Raises nothing: a warning says what was not sent.

    Args:
        result: the run.
        settings: the environment and the data folder.
    """
    if not os.environ.get(ENDPOINT):
        return
    # What the libraries say of a receiver that is gone may contain its headers.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    try:
        from opentelemetry.sdk.resources import Resource

        resource = Resource.create(
            {
                "service.name": "sluice",
                "deployment.environment.name": settings.env,
                "sluice.domain": result.domain,
            }
        )
        sent = [_send_metrics(result, settings, resource), _send_spans(result, resource)]
        if not all(sent):
            log.warning("%s: the receiver has not taken the telemetry of the run", ENDPOINT)
    # A defect here must not fail a run that has published.
    except Exception as error:
        log.warning("%s: the telemetry of the run is not sent: %s", ENDPOINT, type(error).__name__)


def _send_metrics(result: RunResult, settings: Settings, resource: "Resource") -> bool:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricExportResult

    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], resource)
    meter = provider.get_meter("sluice")

    def put(metric: tuple[str, str, str], value: Any, **attributes: str) -> None:
        name, unit, description = metric
        if value is not None:
            gauge = meter.create_gauge(name, unit, description)
            gauge.set(value, {"domain": result.domain, **attributes})

    for key, metric in METRICS.items():
        put(metric, result.run["seconds"] if key == "seconds" else getattr(result, key))
    for status in ("success", "partial", "failed", "skipped"):
        put(STATUS, int(status == result.status), status=status)
    for stage in result.stages:
        put(STAGE, stage["seconds"], stage=stage["stage"], status=stage["status"])
    if at := published_at(result.domain, settings):
        put(AGE, (datetime.now(at.tzinfo) - at).total_seconds())
    exporter = OTLPMetricExporter(timeout=TIMEOUT_SECONDS)
    data = reader.get_metrics_data()
    sent = data is not None and exporter.export(data) is MetricExportResult.SUCCESS
    provider.shutdown()
    exporter.shutdown()
    return sent


def _send_spans(result: RunResult, resource: "Resource") -> bool:
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    kept = InMemorySpanExporter()
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracer = provider.get_tracer("sluice")
    if result.run["started_at"] is None:
        return True
    whole = tracer.start_span(
        f"run {result.domain}",
        start_time=_nanoseconds(result.run["started_at"]),
        attributes={"sluice.run_id": result.run_id, "sluice.status": result.status},
    )
    _mark(whole, result.run["error"] if result.status in ("failed", "partial") else None)
    for stage in result.stages:
        span = tracer.start_span(
            stage["stage"],
            context=trace.set_span_in_context(whole),
            start_time=_nanoseconds(stage["started_at"]),
            attributes={
                name: stage[name]
                for name in ("rows_in", "rows_out", "rows_failed")
                if stage[name] is not None
            },
        )
        _mark(span, stage["error"])
        span.end(_nanoseconds(stage["ended_at"] or result.run["ended_at"]))
    whole.end(_nanoseconds(result.run["ended_at"]))
    exporter = OTLPSpanExporter(timeout=TIMEOUT_SECONDS)
    sent = exporter.export(kept.get_finished_spans()) is SpanExportResult.SUCCESS
    exporter.shutdown()
    return sent


def _mark(span: Any, error: str | None) -> None:
    from opentelemetry.trace import Status, StatusCode

    if error:
        span.set_status(Status(StatusCode.ERROR, error))


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp() * 1e9)
