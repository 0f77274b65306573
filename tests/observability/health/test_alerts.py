"""Alerts: each rule is told once when it is broken and once when it is kept again, whatever happens in between."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

import settings as project_settings
from observability.health.alert_rules import alert_rules_for, violated_rules
from observability.health.alerts import tell
from observability.health.late_run import tell_late
from settings import Settings, SettingsError
from tests.kill_at import run_to_death
from tests.receivers import Webhook, webhook

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
#: A pipeline of which everything is as promised, in columns of agg_pipeline_health.
WELL: dict[str, Any] = {
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
#: By rule, what breaks it.
ILL: dict[str, dict[str, Any]] = {
    "success_rate": {"success_rate_last_10": 0.8},
    "hours_without_success": {"last_success_at": NOW - timedelta(hours=25, minutes=1)},
    "duration_over_median": {"last_seconds": 301.0},
    "freshness_hours": {"published_at": NOW - timedelta(hours=26, minutes=1)},
    "quarantined_share": {"quarantined_share": 0.051},
    "cost_a_day": {"last_day_cost": 5.01},
}


@pytest.fixture
def hook(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    with webhook() as hook:
        for name, value in hook.variables().items():
            monkeypatch.setenv(name, value)
        yield hook


@pytest.fixture
def told(hook: Webhook) -> Settings:
    """Settings with somebody to tell."""
    return project_settings.load()


def publish(settings: Settings, **differently: Any) -> None:
    """Publish the health of one pipeline."""
    row = WELL | differently
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


def test_each_rule_has_a_case() -> None:
    assert {*ILL, "deadline_hours"} == set(alert_rules_for("collisions").model_dump())


@pytest.mark.parametrize("rule", ILL)
def test_a_rule_is_told_once_when_it_is_broken_and_once_when_it_is_kept(
    rule: str, told: Settings, hook: Webhook
) -> None:
    publish(told)
    assert tell(told, now=NOW) == []
    publish(told, **ILL[rule])
    assert [(each.rule, each.pipeline, each.begins) for each in tell(told, now=NOW)] == [
        (rule, "collisions", True)
    ]
    assert tell(told, now=NOW + timedelta(seconds=1)) == []
    publish(told)
    assert [(each.rule, each.begins) for each in tell(told, now=NOW)] == [(rule, False)]
    assert tell(told, now=NOW) == []
    assert [text.splitlines()[0] for text in hook.texts] == [
        f"collisions alert: {rule} (dev)",
        f"collisions over: {rule} (dev)",
    ]


def test_a_rule_broken_a_second_time_is_told_a_second_time(told: Settings, hook: Webhook) -> None:
    for minutes in (0, 1):
        publish(told, success_rate_last_10=0.5)
        tell(told, now=NOW + timedelta(minutes=minutes))
        publish(told)
        tell(told, now=NOW + timedelta(minutes=minutes, seconds=1))
    assert len(hook.texts) == 4


def test_what_cannot_be_sent_is_told_next_time(told: Settings, hook: Webhook) -> None:
    publish(told, success_rate_last_10=0.5)
    hook.status = 500
    assert tell(told, now=NOW) == []
    hook.status = 200
    assert len(tell(told, now=NOW)) == 1
    assert tell(told, now=NOW) == []
    assert len(hook.texts) == 1


@pytest.mark.parametrize("point", [("send", "before"), ("send", "after")])
def test_an_alert_that_is_cut_off_is_not_lost(point: tuple[str, str], told: Settings, hook: Webhook) -> None:
    publish(told, success_rate_last_10=0.5)
    function, moment = point
    point = (f"observability.health.alerts:{function}", moment, 1)
    run_to_death(point, told, "tests.observability.health.telling")
    # Nobody can know whether a message that was under way has arrived.
    before = len(hook.texts)
    assert before == (moment == "after")
    assert [each.begins for each in tell(told, now=NOW)] == [True]
    assert tell(told, now=NOW) == []
    assert len(hook.texts) == before + 1


def test_a_run_at_its_deadline_is_told(told: Settings, hook: Webhook) -> None:
    asyncio.run(tell_late(pipeline="collisions", hours=6, context={"dag_run": {}}))
    assert hook.texts == [
        "collisions alert: deadline_hours (dev)\na run has not ended 6 hours after it was queued"
    ]


def test_a_run_that_goes_on_is_looked_at_by_the_clock(settings: Settings) -> None:
    going = {"last_state": "running", "last_seconds": None}
    publish(settings, **going, last_run_at=NOW - timedelta(seconds=299))
    assert violated_rules(settings, NOW) == []
    publish(settings, **going, last_run_at=NOW - timedelta(seconds=301))
    assert [each.rule for each in violated_rules(settings, NOW)] == ["duration_over_median"]


def test_of_few_runs_nobody_knows_how_long_they_take(settings: Settings) -> None:
    publish(settings, successes=4, last_seconds=999.0)
    assert violated_rules(settings, NOW) == []


def test_a_pipeline_that_never_succeeded_is_late_after_its_first_run(settings: Settings) -> None:
    never = {"last_success_at": None, "published_at": None, "success_rate_last_10": None}
    publish(settings, **never, first_run_at=NOW - timedelta(hours=24))
    assert violated_rules(settings, NOW) == []
    publish(settings, **never, first_run_at=NOW - timedelta(hours=26))
    assert [each.rule for each in violated_rules(settings, NOW)] == ["hours_without_success"]


def test_a_paused_pipeline_is_left_alone_and_one_with_rules_of_its_own_has_these(settings: Settings) -> None:
    publish(settings, is_paused=True, success_rate_last_10=0.0)
    assert violated_rules(settings, NOW) == []
    weeks = {"last_success_at": NOW - timedelta(days=31), "published_at": NOW - timedelta(days=31)}
    publish(settings, pipeline="taxi", **weeks)
    assert violated_rules(settings, NOW) == []
    publish(settings, **weeks)
    assert len(violated_rules(settings, NOW)) == 2


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("default: [1]", "default must have a key a rule"),
        ("defaults: {}", "must have the keys default and pipelines"),
        ("default: {success_rate: 2}", r"default.success_rate: .*less than or equal to 1.*not 2"),
        ("default: {success_rat: 0.9}", r"default.success_rat"),
        ("default: {}", r"default.success_rate: Field required"),
        (
            "default: &all {ALL}\npipelines: {taxi: {freshness_hours: soon}}",
            r"pipelines.taxi.freshness_hours.*'soon'",
        ),
        ("default: &all {ALL}\npipelines: {taxi: 3}", r"pipelines.taxi must have a key a rule"),
        ("default: {", "cannot be read"),
    ],
)
def test_a_mistake_in_the_file_is_named_whichever_pipeline_is_asked_for(
    text: str, named: str, tmp_path: Path
) -> None:
    file = tmp_path / "alerts.yml"
    everything = ", ".join(f"{name}: null" for name in (*ILL, "deadline_hours"))
    file.write_text(text.replace("ALL", everything))
    with pytest.raises(SettingsError, match=named):
        alert_rules_for("collisions", file)


def test_a_rule_that_is_null_is_off(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "alerts.yml"
    file.write_text(f"default: {{{', '.join(f'{name}: null' for name in (*ILL, 'deadline_hours'))}}}")
    publish(settings, **{name: value for ill in ILL.values() for name, value in ill.items()})
    assert violated_rules(settings, NOW, file) == []
    assert len(violated_rules(settings, NOW)) == len(ILL)
