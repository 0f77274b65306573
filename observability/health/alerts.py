"""Alerts: people are told once when a rule is broken, and once when it is kept again.

`raw_ops.alerts` has one row per alert. An alert is written down before its message is sent and marked afterwards, so
that none is lost: if the process is killed while a message is under way, the message is sent again.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from observability.health.alert_rules import FILE, violated_rules
from observability.metrics.ops_store import OPS, SCHEMA, merged, write
from observability.notify import Message, send
from settings import Settings
from warehouse import Warehouse, connect

ALERTS = {
    "rule": "text",
    "pipeline": "text",
    "started_at": "timestamp",
    "ended_at": "timestamp",
    "says": "text",
    "start_told_at": "timestamp",
    "end_told_at": "timestamp",
}


@dataclass(frozen=True)
class Alert:
    """A message about an alert that was sent now: the alert begins, or it is over."""

    rule: str
    pipeline: str
    begins: bool
    says: str
    sent: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values."""
        return asdict(self)


def tell(settings: Settings, *, now: datetime | None = None, rules: Path = FILE) -> list[Alert]:
    """Tell people of alerts that begin or end by the published health; what cannot be sent is sent next time.

    Args:
        settings: which data folder, and whom to tell.
        now: the time to judge by; defaults to the present.
        rules: the file of rules.

    Raises:
        SettingsError: the file has a mistake.
        MetricsError: dlt could not write; nobody was told.
        WarehouseBusyError: another process kept the warehouse.
    """
    now = now or datetime.now(UTC)
    broken = {(each.rule, each.pipeline): each.says for each in violated_rules(settings, now, rules)}
    # Held until everything is sent and marked, so that two processes at once do not both send it.
    with connect(settings, OPS) as warehouse:
        alerts = _unsettled(warehouse)
        still = {_key(alert) for alert in alerts if alert["ended_at"] is None}
        changed = [
            alert | {"ended_at": now}
            for alert in alerts
            if alert["ended_at"] is None and _key(alert) not in broken
        ]
        changed += [
            dict.fromkeys(ALERTS) | {"rule": rule, "pipeline": pipeline, "started_at": now, "says": says}
            for (rule, pipeline), says in broken.items()
            if (rule, pipeline) not in still
        ]
        if changed:
            _write(warehouse, settings, changed)
        told = []
        for alert in _unsettled(warehouse):
            marks = alert.copy()
            told += _tell(marks, settings, now)
            if marks != alert:
                _write(warehouse, settings, [marks])
    return told


def _tell(alert: dict[str, Any], settings: Settings, now: datetime) -> Iterator[Alert]:
    """Send the messages about an alert that have not been sent, and mark them in the alert."""
    for moment, mark, begins in (("started_at", "start_told_at", True), ("ended_at", "end_told_at", False)):
        if alert[moment] is None or alert[mark] is not None:
            continue
        title = "alert" if begins else "over"
        subject = f"{alert['pipeline']} {title}: {alert['rule']} ({settings.env})"
        sent = send(
            Message(
                subject, [alert["says"], f"{moment.replace('_', ' ')}: {alert[moment]:%Y-%m-%d %H:%M} UTC"]
            ),
            settings,
        )
        if sent.failed and not sent.ways:
            return
        alert[mark] = now
        yield Alert(alert["rule"], alert["pipeline"], begins, alert["says"], str(sent))


def _unsettled(warehouse: Warehouse) -> list[dict[str, Any]]:
    """The alerts that are open, or of whose end nobody has been told."""
    if not warehouse.columns(SCHEMA, "alerts"):
        return []
    found = warehouse.execute(
        f"select {', '.join(ALERTS)} from {SCHEMA}.alerts where end_told_at is null order by started_at, rule, pipeline"
    )
    return [dict(zip(ALERTS, row, strict=True)) for row in found.fetchall()]


def _write(warehouse: Warehouse, settings: Settings, alerts: list[dict[str, Any]]) -> None:
    write(warehouse, settings, [merged("alerts", alerts, ALERTS, ("rule", "pipeline", "started_at"))])


def _key(alert: dict[str, Any]) -> tuple[str, str]:
    return alert["rule"], alert["pipeline"]
