"""The values of metrics in what is published."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import duckdb

from publishing.readers import open_published
from settings import Settings
from transformation.dbt import ensure_manifest
from transformation.metrics import TIME, MetricError, Metrics, read_metrics

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Question:
    """Which values of which metrics.

    Attributes:
        names: metrics of one domain.
        by: dimensions to split by.
        grain: the step of time; None for the whole time.
        only: dimensions, each with the value that it must have.
        since: the first day.
        until: the last day.
    """

    names: tuple[str, ...]
    by: tuple[str, ...] = ()
    grain: str | None = None
    only: tuple[tuple[str, str], ...] = ()
    since: date | None = None
    until: date | None = None


def current_metrics(settings: Settings) -> Metrics:
    """Return the metrics of the dbt project as it is now.

    Raises:
        DbtError: dbt refuses the project.
    """
    ensure_manifest(settings)
    return read_metrics(settings.manifest)


def values(question: Question, settings: Settings) -> "pa.Table":
    """Return the values of metrics in the active version, ordered by time and dimensions.

    Raises:
        MetricError: a metric, a dimension or a step of time does not exist, or the active version lacks what they read.
        NotPublishedError: their domain is not published.
    """
    metrics = current_metrics(settings)
    conditions, parameters = _conditions(question)
    query = metrics.sql(question.names, question.by, question.grain, conditions)
    domain = metrics.get(question.names[0]).domain
    with open_published(domain, settings) as published:
        try:
            return published.execute(f"{query} order by all", parameters or None).to_arrow_table()
        except duckdb.Error as error:
            raise MetricError(
                f"the published version of {domain} does not fit the metric ({error}). `sluice run {domain}` publishes one."
            ) from error


def _conditions(question: Question) -> tuple[list[str], dict[str, Any]]:
    conditions = [f"{{{name}}}::varchar = $value_{at}" for at, (name, _) in enumerate(question.only)]
    parameters: dict[str, Any] = {f"value_{at}": value for at, (_, value) in enumerate(question.only)}
    if question.since:
        conditions.append(f"{{{TIME}}} >= $since")
        parameters["since"] = question.since
    if question.until:
        conditions.append(f"{{{TIME}}} <= $until")
        parameters["until"] = question.until
    return conditions, parameters
