"""The rules for alerts, and which of them pipelines violate by the published health.

Defaults are in `alerts.yml`; limits of one domain are in `config: meta: {alerts: …}` of its dbt group.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from settings import Settings, SettingsError
from transformation.manifest import read_manifest

FILE = Path(__file__).with_name("alerts.yml")
# With fewer successful runs the usual duration is not known.
MIN_RUNS_FOR_MEDIAN = 5

Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class AlertRules(BaseModel):
    """The limits of one pipeline; None where a rule is off."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    success_rate: Share | None
    hours_without_success: Positive | None
    duration_over_median: Positive | None
    freshness_hours: Positive | None
    quarantined_share: Share | None
    cost_per_day: Annotated[float, Field(ge=0)] | None
    deadline_hours: Positive | None


@dataclass(frozen=True)
class Violation:
    """A rule that a pipeline violates."""

    rule: str
    pipeline: str
    message: str


def alert_rules_for(pipeline: str, settings: Settings, file: Path = FILE) -> AlertRules:
    """Return the rules of a pipeline.

    Raises:
        SettingsError: the defaults or the pipeline's own limits are invalid; names the file or the group, and the key.
    """
    try:
        default = yaml.safe_load(file.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise SettingsError(f"{file} cannot be read: {error}") from error
    checked = _checked(default, str(file))
    # Before dbt has parsed the project, nothing is published that alerts could be about.
    own = read_manifest(settings.manifest).alerts(pipeline) if settings.manifest.exists() else {}
    return _checked({**default, **own}, f"meta.alerts of the dbt group {pipeline}") if own else checked


def _checked(rules: Any, where: str) -> AlertRules:
    try:
        return AlertRules.model_validate(rules)
    except ValidationError as error:
        wrong = error.errors()[0]
        key = "".join(f"{part}: " for part in wrong["loc"])
        given = "" if wrong["type"] == "missing" else f", not {wrong['input']!r}"
        raise SettingsError(f"{where}: {key}{wrong['msg']}{given}") from error


def violations(settings: Settings, now: datetime | None = None, file: Path = FILE) -> list[Violation]:
    """Find the rules that pipelines violate by the published health; paused pipelines violate none.

    Args:
        settings: which data folder.
        now: defaults to the present.
        file: the default rules.

    Raises:
        SettingsError: a rule is invalid.
    """
    # DAGs import this module for the deadlines, and do not need DuckDB.
    from publishing.readers import open_published

    now = (now or datetime.now(UTC)).astimezone(UTC).replace(tzinfo=None)
    with open_published("health", settings) as published:
        found = published.execute("select * from marts.agg_pipeline_health order by pipeline")
        names = [column[0] for column in found.description]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    return [
        Violation(rule, row["pipeline"], message)
        for row in rows
        if not row["is_paused"]
        for rule, message in _violated(row, alert_rules_for(row["pipeline"], settings, file), now)
    ]


def _violated(row: Mapping[str, Any], rules: AlertRules, now: datetime) -> Iterator[tuple[str, str]]:
    rate, minimum = row["success_rate_last_10"], rules.success_rate
    if minimum is not None and rate is not None and rate < minimum:
        yield (
            "success_rate",
            f"{rate:.0%} of the last {row['runs_counted']} runs succeeded (threshold: {minimum:.0%})",
        )
    if _over(_hours(row["last_success_at"] or row["first_run_at"], now), rules.hours_without_success):
        yield "hours_without_success", f"no successful run for {rules.hours_without_success:g} hours"
    seconds, median = row["last_seconds"], row["median_seconds"]
    if row["last_state"] == "running":
        seconds = (now - row["last_run_at"]).total_seconds()
    if (
        row["successes"] >= MIN_RUNS_FOR_MEDIAN
        and median
        and _over((seconds or 0) / median, rules.duration_over_median)
    ):
        yield (
            "duration_over_median",
            f"the last run took more than {rules.duration_over_median:g} times the median of {median:.0f} s",
        )
    if _over(_hours(row["published_at"], now), rules.freshness_hours):
        yield "freshness_hours", f"the published data is older than {rules.freshness_hours:g} hours"
    if _over(row["quarantined_share"], rules.quarantined_share):
        yield (
            "quarantined_share",
            f"{row['quarantined_share']:.2%} of the rows read are quarantined (threshold: {rules.quarantined_share:.0%})",
        )
    if _over(row["last_day_cost"], rules.cost_per_day):
        yield (
            "cost_per_day",
            f"models cost $ {row['last_day_cost']:.2f} per day (threshold: $ {rules.cost_per_day:g})",
        )


def _over(value: Any, limit: float | None) -> bool:
    return limit is not None and value is not None and float(value) > limit


def _hours(since: datetime | None, now: datetime) -> float | None:
    return (now - since).total_seconds() / 3600 if since else None
