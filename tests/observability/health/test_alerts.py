"""Alerts: one message when a rule is first violated and one when it is met again, whatever happens in between."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

import settings as project_settings
from observability.health.alert_rules import alert_rules_for, violations
from observability.health.alerts import send_alerts
from observability.health.late_run import notify_late_run
from settings import Settings, SettingsError
from tests.kill_at import run_to_death
from tests.receivers import Webhook, webhook

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
# A pipeline that meets every rule, in columns of agg_pipeline_health.
HEALTHY: dict[str, Any] = {
    "pipeline": "collisions",
    "is_paused": False,
    "successes": 20,
    "runs_counted": 10,
    "success_rate_last_10": 0.9,
    "last_state": "success",
    "last_seconds": 300.0,
    "median_seconds": 100.0,
    "quarantined_share": 0.05,
    "last_day_cost": 5.0,
    "first_run_at": NOW - timedelta(days=30),
    "last_run_at": NOW - timedelta(hours=24),
    "last_success_at": NOW - timedelta(hours=24),
    "published_at": NOW - timedelta(hours=25),
}
# What violates each rule.
UNHEALTHY: dict[str, dict[str, Any]] = {
    "success_rate": {"success_rate_last_10": 0.8},
    "hours_without_success": {"last_success_at": NOW - timedelta(hours=25, minutes=1)},
    "duration_over_median": {"last_seconds": 301.0},
    "freshness_hours": {"published_at": NOW - timedelta(hours=26, minutes=1)},
    "quarantined_share": {"quarantined_share": 0.051},
    "cost_per_day": {"last_day_cost": 5.01},
}


@pytest.fixture
def hook(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    with webhook() as hook:
        for name, value in hook.variables().items():
            monkeypatch.setenv(name, value)
        yield hook


@pytest.fixture
def notified(hook: Webhook) -> Settings:
    """Settings with a recipient."""
    return project_settings.load()


def write_limits(settings: Settings, pipeline: str, limits: dict[str, Any]) -> None:
    """Write a manifest in which the dbt group of a pipeline has alert limits."""
    group = {"name": pipeline, "config": {"meta": {"alerts": limits}}}
    settings.manifest.parent.mkdir(parents=True, exist_ok=True)
    settings.manifest.write_text(json.dumps({"nodes": {}, "groups": {pipeline: group}}))


def publish(settings: Settings, **changes: Any) -> None:
    """Publish the health of one pipeline."""
    row = HEALTHY | changes
    path = settings.published("health")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as published:
        published.execute("set TimeZone = 'UTC'")
        published.execute("create schema marts")
        values = [
            value.replace(tzinfo=None) if isinstance(value, datetime) else value for value in row.values()
        ]
        selected = ", ".join(f"? as {name}" for name in row)
        published.execute(f"create table marts.agg_pipeline_health as select {selected}", values)


def test_each_rule_has_a_case(settings: Settings) -> None:
    assert {*UNHEALTHY, "deadline_hours"} == set(alert_rules_for("collisions", settings).model_dump())


@pytest.mark.parametrize("rule", UNHEALTHY)
def test_a_violation_is_notified_once_when_it_starts_and_once_when_it_ends(
    rule: str, notified: Settings, hook: Webhook
) -> None:
    # The other rules have a default.
    write_limits(notified, "collisions", {"freshness_hours": 26})
    publish(notified)
    assert send_alerts(notified, now=NOW) == []
    publish(notified, **UNHEALTHY[rule])
    assert [(each.rule, each.pipeline, each.started) for each in send_alerts(notified, now=NOW)] == [
        (rule, "collisions", True)
    ]
    assert send_alerts(notified, now=NOW + timedelta(seconds=1)) == []
    publish(notified)
    assert [(each.rule, each.started) for each in send_alerts(notified, now=NOW)] == [(rule, False)]
    assert send_alerts(notified, now=NOW) == []
    assert [text.splitlines()[0] for text in hook.texts] == [
        f"collisions alert: {rule} (dev)",
        f"collisions over: {rule} (dev)",
    ]


def test_a_second_violation_is_notified_again(notified: Settings, hook: Webhook) -> None:
    for minutes in (0, 1):
        publish(notified, success_rate_last_10=0.5)
        send_alerts(notified, now=NOW + timedelta(minutes=minutes))
        publish(notified)
        send_alerts(notified, now=NOW + timedelta(minutes=minutes, seconds=1))
    assert len(hook.texts) == 4


def test_a_message_that_cannot_be_sent_is_sent_next_time(notified: Settings, hook: Webhook) -> None:
    publish(notified, success_rate_last_10=0.5)
    hook.status = 500
    assert send_alerts(notified, now=NOW) == []
    hook.status = 200
    assert len(send_alerts(notified, now=NOW)) == 1
    assert send_alerts(notified, now=NOW) == []
    assert len(hook.texts) == 1


@pytest.mark.parametrize("point", [("send", "before"), ("send", "after")])
def test_a_killed_process_loses_no_alert(point: tuple[str, str], notified: Settings, hook: Webhook) -> None:
    publish(notified, success_rate_last_10=0.5)
    function, moment = point
    point = (f"observability.health.alerts:{function}", moment, 1)
    run_to_death(point, notified, "tests.observability.health.send_at_fixed_time")
    # Whether a message arrived that was being sent cannot be known.
    before = len(hook.texts)
    assert before == (moment == "after")
    assert [each.started for each in send_alerts(notified, now=NOW)] == [True]
    assert send_alerts(notified, now=NOW) == []
    assert len(hook.texts) == before + 1


def test_a_run_that_misses_its_deadline_is_notified(notified: Settings, hook: Webhook) -> None:
    asyncio.run(notify_late_run(pipeline="collisions", hours=6, context={"dag_run": {}}))
    assert hook.texts == [
        "collisions alert: deadline_hours (dev)\na run is not finished 6 hours after it was queued"
    ]


def test_a_running_run_is_measured_until_now(settings: Settings) -> None:
    running = {"last_state": "running", "last_seconds": None}
    publish(settings, **running, last_run_at=NOW - timedelta(seconds=299))
    assert violations(settings, NOW) == []
    publish(settings, **running, last_run_at=NOW - timedelta(seconds=301))
    assert [each.rule for each in violations(settings, NOW)] == ["duration_over_median"]


def test_a_few_runs_have_no_usual_duration(settings: Settings) -> None:
    publish(settings, successes=4, last_seconds=999.0)
    assert violations(settings, NOW) == []


def test_a_pipeline_that_never_succeeded_is_measured_from_its_first_run(settings: Settings) -> None:
    never = {"last_success_at": None, "published_at": None, "success_rate_last_10": None}
    publish(settings, **never, first_run_at=NOW - timedelta(hours=24))
    assert violations(settings, NOW) == []
    publish(settings, **never, first_run_at=NOW - timedelta(hours=26))
    assert [each.rule for each in violations(settings, NOW)] == ["hours_without_success"]


def test_a_paused_pipeline_violates_nothing(settings: Settings) -> None:
    publish(settings, is_paused=True, success_rate_last_10=0.0)
    assert violations(settings, NOW) == []


def test_limits_of_a_dbt_group_replace_defaults(settings: Settings) -> None:
    write_limits(settings, "monthly", {"hours_without_success": 768, "freshness_hours": 768})
    weeks = {"last_success_at": NOW - timedelta(days=31), "published_at": NOW - timedelta(days=31)}
    publish(settings, pipeline="monthly", **weeks)
    assert violations(settings, NOW) == []
    assert (
        alert_rules_for("monthly", settings).success_rate == alert_rules_for("other", settings).success_rate
    )
    publish(settings, **weeks)
    assert [each.rule for each in violations(settings, NOW)] == ["hours_without_success"]


def test_an_invalid_limit_of_a_dbt_group_breaks_no_other_pipeline(settings: Settings) -> None:
    write_limits(settings, "monthly", {"freshness_hours": "soon"})
    with pytest.raises(SettingsError, match=r"dbt group monthly: freshness_hours: .*'soon'"):
        alert_rules_for("monthly", settings)
    alert_rules_for("other", settings)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[1]", "valid dictionary"),
        ("{success_rate: 2}", r"success_rate: .*less than or equal to 1.*not 2"),
        ("{success_rat: 0.9}", r"Field required"),
        ("{ALL, success_rat: 0.9}", r"success_rat: Extra inputs"),
        ("{", "cannot be read"),
    ],
)
def test_an_invalid_default_is_named(text: str, named: str, settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "alerts.yml"
    everything = ", ".join(f"{name}: null" for name in (*UNHEALTHY, "deadline_hours"))
    file.write_text(text.replace("ALL", everything))
    with pytest.raises(SettingsError, match=rf"alerts.yml.*{named}"):
        alert_rules_for("collisions", settings, file)


def test_a_rule_that_is_null_is_off(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "alerts.yml"
    file.write_text("\n".join(f"{name}: null" for name in (*UNHEALTHY, "deadline_hours")))
    publish(settings, **{name: value for changes in UNHEALTHY.values() for name, value in changes.items()})
    assert violations(settings, NOW, file) == []
    # All but the one that is null by default.
    assert {each.rule for each in violations(settings, NOW)} == UNHEALTHY.keys() - {"freshness_hours"}
