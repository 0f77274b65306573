"""Metrics on pages: their values in what is published, and how each is shown. No page defines a figure itself."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pandas as pd

import settings as project_settings
from dashboard.published import NothingToShowError, ask
from publishing.marts import SCHEMA
from transformation.manifest import ManifestError
from transformation.metrics import Metric, MetricError, Metrics, read_metrics


def metrics_of(domain: str) -> list[Metric]:
    """Return the metrics of a domain; none if dbt has not described them."""
    try:
        return read_metrics(project_settings.load().manifest).of(domain)
    except ManifestError:
        return []


def ask_metrics(
    names: Sequence[str],
    by: Sequence[str] = (),
    grain: str | None = None,
    where: Sequence[str] = (),
    parameters: Mapping[str, Any] | None = None,
    order: str = "all",
    rows: Mapping[str, str] = MappingProxyType({}),
) -> pd.DataFrame:
    """Return a column per step of time, dimension and metric, as `Metrics.sql` describes them.

    Args:
        names: metrics of one domain.
        by: dimensions to split by.
        grain: the step of time; None for the whole time.
        where: conditions.
        parameters: the parameters of the conditions.
        order: what to order the rows by.
        rows: a WHERE clause for the rows of a mart, by the mart's name; for columns that are no dimension.

    Raises:
        NothingToShowError: the metrics or their domain are not published.
    """
    metrics = _metrics()
    try:
        query = metrics.sql(names, by, grain, where)
        domain = metrics.get(names[0]).domain
    except MetricError as error:
        raise NothingToShowError(
            f"{str(error).capitalize()} `sluice metrics` reads the definitions again."
        ) from error
    for mart, condition in rows.items():
        # As MetricFlow writes a table.
        query = query.replace(f"FROM {SCHEMA}.{mart} ", f"FROM (from {SCHEMA}.{mart} {condition}) ")
    return ask(domain, f"{query} order by {order}", dict(parameters or {}) or None)


def definition(name: str) -> Metric:
    """Return the definition of a metric.

    Raises:
        NothingToShowError: there is none.
    """
    try:
        return _metrics().get(name)
    except MetricError as error:
        raise NothingToShowError(
            f"{str(error).capitalize()} `sluice metrics` reads the definitions again."
        ) from error


def formatted_metric(name: str, value: float | None) -> str:
    """Return a value as its metric is shown, or a dash if it is missing."""
    metric = definition(name)
    if value is None or pd.isna(value):
        return "–"
    sign = f"{metric.unit} " if metric.unit == "$" else ""
    return f"{sign}{float(value):{metric.format}}"


def _metrics() -> Metrics:
    try:
        return read_metrics(project_settings.load().manifest)
    except ManifestError as error:
        raise NothingToShowError("The metrics are not described yet. `sluice metrics` does it.") from error
