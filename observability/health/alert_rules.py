"""The rules of `alerts.yml`, and which of them pipelines break by the published health."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from settings import Settings, SettingsError

FILE = Path(__file__).with_name("alerts.yml")
# With fewer successful runs, nobody knows how long a run usually takes.
LEAST_RUNS = 5

Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class Rules(BaseModel):
    """The limits of one pipeline; None where a rule is off."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    success_rate: Share | None
    hours_without_success: Positive | None
    duration_over_median: Positive | None
    freshness_hours: Positive | None
    quarantined_share: Share | None
    cost_a_day: Annotated[float, Field(ge=0)] | None
    deadline_hours: Positive | None


@dataclass(frozen=True)
class Broken:
    """A rule that a pipeline breaks, and how it does."""

    rule: str
    pipeline: str
    says: str


@cache
def alert_rules_for(pipeline: str, file: Path = FILE) -> Rules:
    """The rules of a pipeline.

    Raises:
        SettingsError: the file has a mistake, even in the rules of another pipeline; names the file and the key.
    """
    try:
        found = yaml.safe_load(file.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise SettingsError(f"{file} cannot be read: {error}") from error
    if not isinstance(found, Mapping) or set(found) - {"default", "pipelines"}:
        raise SettingsError(f"{file} must have the keys default and pipelines, and no other")
    own = found.get("pipelines") or {}
    if not isinstance(own, Mapping):
        raise SettingsError(f"{file}: pipelines must have a key a pipeline")
    default = _checked("default", found.get("default"), {}, file)
    checked = {
        name: _checked(f"pipelines.{name}", each, found["default"], file) for name, each in own.items()
    }
    return checked.get(pipeline, default)


def _checked(where: str, values: Any, default: Mapping[str, Any], file: Path) -> Rules:
    if not isinstance(values, Mapping):
        raise SettingsError(f"{file}: {where} must have a key a rule, not {values!r}")
    try:
        return Rules.model_validate({**default, **values})
    except ValidationError as error:
        wrong = error.errors()[0]
        key = ".".join([where, *(str(part) for part in wrong["loc"][:1])])
        given = "" if wrong["type"] == "missing" else f", not {wrong['input']!r}"
        raise SettingsError(f"{file}: {key}: {wrong['msg']}{given}") from error


def violated_rules(settings: Settings, now: datetime | None = None, file: Path = FILE) -> list[Broken]:
    """Find the rules that pipelines break by the published health; those that are paused break none.

    Args:
        settings: which data folder.
        now: the time to judge by; defaults to the present.
        file: the rules.

    Raises:
        SettingsError: the file has a mistake.
    """
    # Here, because the DAGs import this module and need no DuckDB.
    from publishing.readers import open_published

    now = (now or datetime.now(UTC)).astimezone(UTC).replace(tzinfo=None)
    alert_rules_for("", file)
    with open_published("health", settings) as published:
        found = published.execute("select * from marts.agg_pipeline_health order by pipeline")
        names = [column[0] for column in found.description]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    return [
        Broken(rule, row["pipeline"], says)
        for row in rows
        if not row["is_paused"]
        for rule, says in _broken(row, alert_rules_for(row["pipeline"], file), now)
    ]


def _broken(row: Mapping[str, Any], rules: Rules, now: datetime) -> Iterator[tuple[str, str]]:
    rate, least = row["success_rate_last_10"], rules.success_rate
    if least is not None and rate is not None and rate < least:
        yield (
            "success_rate",
            f"{rate:.0%} of the last {row['runs_counted']} runs succeeded, promised are {least:.0%}",
        )
    silent = _hours(row["last_success_at"] or row["first_run_at"], now)
    if _over(silent, rules.hours_without_success):
        yield "hours_without_success", f"no run has succeeded for {rules.hours_without_success:g} hours"
    seconds, median = row["last_seconds"], row["median_seconds"]
    if row["last_state"] == "running":
        seconds = (now - row["last_run_at"]).total_seconds()
    if (
        row["successes"] >= LEAST_RUNS
        and median
        and _over((seconds or 0) / median, rules.duration_over_median)
    ):
        times = rules.duration_over_median
        yield (
            "duration_over_median",
            f"the last run took more than {times:g} times the median, {median:.0f} s",
        )
    if _over(_hours(row["published_at"], now), rules.freshness_hours):
        yield (
            "freshness_hours",
            f"what is published is older than the promised {rules.freshness_hours:g} hours",
        )
    if _over(row["quarantined_share"], rules.quarantined_share):
        yield "quarantined_share", f"{row['quarantined_share']:.2%} of the rows read are in quarantine"
    if _over(row["last_day_cost"], rules.cost_a_day):
        yield (
            "cost_a_day",
            f"models cost $ {row['last_day_cost']:.2f} a day, the limit is $ {rules.cost_a_day:g}",
        )


def _over(value: Any, limit: float | None) -> bool:
    return limit is not None and value is not None and float(value) > limit


def _hours(since: datetime | None, now: datetime) -> float | None:
    return (now - since).total_seconds() / 3600 if since else None
