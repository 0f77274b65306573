"""Alerts: one notification when a rule is first violated, and one when it is met again.

`raw_ops.alerts` has one row per alert. An alert is written before its message is sent and marked afterwards, so that none
is lost: if the process is killed while a message is being sent, the message is sent again.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from observability.health.alert_rules import FILE, violations
from observability.metrics.ops_store import OPS, OpsTable, write_resources
from observability.notify import Message, send
from settings import Settings
from warehouse import Warehouse, connect

ALERTS = OpsTable(
    "alerts",
    {
        "rule": "text",
        "pipeline": "text",
        "started_at": "timestamp",
        "ended_at": "timestamp",
        "message": "text",
        "start_notified_at": "timestamp",
        "end_notified_at": "timestamp",
    },
    ("rule", "pipeline", "started_at"),
)


@dataclass(frozen=True)
class Alert:
    """A notification that was sent: an alert has started, or it is over."""

    rule: str
    pipeline: str
    started: bool
    message: str
    delivery: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values."""
        return asdict(self)


def send_alerts(settings: Settings, *, now: datetime | None = None, rules: Path = FILE) -> list[Alert]:
    """Notify of alerts that start or end by the published health; a message that cannot be sent is sent next time.

    Args:
        settings: data folder and recipients.
        now: defaults to the present.
        rules: the file of default rules.

    Raises:
        SettingsError: a rule is invalid.
        MetricsError: dlt could not write; nothing was sent.
        WarehouseBusyError: another process kept the warehouse.
    """
    now = now or datetime.now(UTC)
    violated = {(each.rule, each.pipeline): each.message for each in violations(settings, now, rules)}
    # Held until everything is sent and marked, so that two processes at once do not both send it.
    with connect(settings, OPS) as warehouse:
        open_alerts = {
            (alert["rule"], alert["pipeline"]): alert
            for alert in _unsettled(warehouse)
            if alert["ended_at"] is None
        }
        changed = [alert | {"ended_at": now} for key, alert in open_alerts.items() if key not in violated]
        changed += [
            dict.fromkeys(ALERTS.columns)
            | {"rule": key[0], "pipeline": key[1], "started_at": now, "message": message}
            for key, message in violated.items()
            if key not in open_alerts
        ]
        if changed:
            write_resources(warehouse, settings, [ALERTS.resource(changed)])
        sent: list[Alert] = []
        for alert in _unsettled(warehouse):
            marked = alert.copy()
            sent += _notify(marked, settings, now)
            if marked != alert:
                write_resources(warehouse, settings, [ALERTS.resource([marked])])
    return sent


def _notify(alert: dict[str, Any], settings: Settings, now: datetime) -> Iterator[Alert]:
    """Send the messages about an alert that have not been sent, and mark them in the alert."""
    for moment, mark, started in (
        ("started_at", "start_notified_at", True),
        ("ended_at", "end_notified_at", False),
    ):
        if alert[moment] is None or alert[mark] is not None:
            continue
        subject = f"{alert['pipeline']} {'alert' if started else 'over'}: {alert['rule']} ({settings.env})"
        lines = [alert["message"], f"{moment.replace('_', ' ')}: {alert[moment]:%Y-%m-%d %H:%M} UTC"]
        delivery = send(Message(subject, lines, alert["pipeline"]), settings)
        if delivery.failed and not delivery.channels:
            return
        alert[mark] = now
        yield Alert(alert["rule"], alert["pipeline"], started, alert["message"], str(delivery))


def _unsettled(warehouse: Warehouse) -> list[dict[str, Any]]:
    """Return the alerts that are open, or whose end was not notified."""
    return ALERTS.read(warehouse, "where end_notified_at is null order by started_at, rule, pipeline")
