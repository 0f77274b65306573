"""Metrics of dbt's semantic layer: what is defined, and the SQL that MetricFlow makes of a question.

A metric is defined once, in `_<domain>__semantic_models.yml` beside the marts. Pages, `sluice metric` and `mf query` all
read that definition. The SQL is DuckDB's, on tables `marts.<name>`, as every published version has them, and depends on
no value: values are parameters of the query.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from common.suggestion import suggestion
from transformation.manifest import Manifest, read_manifest
from transformation.metricflow_engine import make_engine

GRAINS = ("day", "week", "month", "quarter", "year")
TIME = "time"
_TIME_DIMENSION = "metric_time"


class MetricError(LookupError):
    """A question about metrics cannot be answered; the message says what there is."""


@dataclass(frozen=True)
class Metric:
    """A metric, as it is defined.

    Attributes:
        name: its name in a question.
        label: its name for people.
        description: what it counts, with its unit.
        domain: in whose published version it is.
        marts: the marts that its own values are in.
        dimensions: by what it can be split, as MetricFlow names each, by short name.
        grain: its finest step of time.
        unit: what its numbers are in; empty for counts and shares.
        format: how its numbers are shown, in the format language that Python and Vega share.
        is_count: whether they are whole.
    """

    name: str
    label: str
    description: str
    domain: str
    marts: tuple[str, ...]
    dimensions: dict[str, str]
    grain: str
    unit: str = ""
    format: str = ",.0f"
    is_count: bool = False

    @property
    def grains(self) -> tuple[str, ...]:
        """The steps of time that it has."""
        return GRAINS[GRAINS.index(self.grain) :]

    @property
    def title(self) -> str:
        """The label with the unit, for an axis."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


class Metrics:
    """The metrics of one state of the dbt project."""

    def __init__(self, manifest: Manifest) -> None:
        """Read the metrics of dbt's manifest."""
        # MetricFlow numbers the parts of a query, so it answers one thread at a time.
        self._lock = Lock()
        # dbt's manifest of a project without metrics has no time spine, which MetricFlow insists on.
        self._engine = make_engine(manifest) if manifest.metrics else None
        self._marts = {
            measure["name"]: model["node_relation"]["alias"]
            for model in manifest.semantic_models.values()
            for measure in model["measures"]
        }
        self.all = {metric["name"]: self._metric(metric) for metric in manifest.metrics.values()}
        self._compiled = lru_cache(maxsize=256)(self._compile)

    def of(self, domain: str) -> list[Metric]:
        """Return the metrics of a domain, in the order of their definition."""
        return [metric for metric in self.all.values() if metric.domain == domain]

    def get(self, name: str) -> Metric:
        """Return a metric.

        Raises:
            MetricError: there is no such metric.
        """
        if name not in self.all:
            raise MetricError(f"no metric is called {name!r}. {suggestion(name, self.all)}")
        return self.all[name]

    def sql(
        self,
        names: Sequence[str],
        by: Sequence[str] = (),
        grain: str | None = None,
        where: Sequence[str] = (),
    ) -> str:
        """Return the query of metrics, with a column per step of time, dimension and metric.

        Args:
            names: the metrics, of one domain.
            by: dimensions that all of them have.
            grain: the step of time, also the name of its column; None for the whole time.
            where: conditions in DuckDB's SQL, in which `{category}` is a dimension and `{time}` the time.

        Raises:
            MetricError: a metric, a dimension or a step of time does not exist.
        """
        return self._compiled(tuple(names), tuple(by), grain, tuple(where))

    def common_dimensions(self, names: Sequence[str]) -> dict[str, str]:
        """Return the dimensions that all of some metrics have."""
        first, *others = [self.get(name) for name in names]
        return {
            short: full
            for short, full in first.dimensions.items()
            if all(other.dimensions.get(short) == full for other in others)
        }

    def _compile(
        self, names: tuple[str, ...], by: tuple[str, ...], grain: str | None, where: tuple[str, ...]
    ) -> str:
        from metricflow.engine.metricflow_engine import MetricFlowQueryRequest, OutputColumnOrderMode

        metrics = [self.get(name) for name in names]
        if len({metric.domain for metric in metrics}) != 1:
            raise MetricError(f"metrics of one question are of one domain, and {', '.join(names)} are not")
        dimensions = self.common_dimensions(names)
        if unknown := [name for name in by if name not in dimensions]:
            raise MetricError(
                f"{', '.join(names)} cannot be split by {unknown[0]!r}. There are: {', '.join(dimensions) or 'none'}."
            )
        grains = min((metric.grains for metric in metrics), key=len)
        if grain and grain not in grains:
            raise MetricError(f"{', '.join(names)} have no step {grain!r}. There are: {', '.join(grains)}.")
        terms = {short: f"{{{{ Dimension('{full}') }}}}" for short, full in dimensions.items()}
        terms[TIME] = f"{{{{ TimeDimension('{_TIME_DIMENSION}', '{grains[0]}') }}}}"
        times = [f"{_TIME_DIMENSION}__{grain}"] if grain else []
        groups = [*times, *(dimensions[name] for name in by)]
        with self._lock:
            found = self._engine.explain(
                MetricFlowQueryRequest.create(
                    metric_names=names,
                    group_by_names=groups or None,
                    where_constraints=[_filled(condition, terms, names) for condition in where] or None,
                    output_column_order_mode=OutputColumnOrderMode.INPUT_ORDER,
                )
            )
        columns = [
            *(f"{name}::date as {grain}" for name in times),
            *(f"{dimensions[name]} as {name}" for name in by),
            # DuckDB sums integers to 128 bits, which Python's libraries take for floats.
            *(
                f"{metric.name}::bigint as {metric.name}" if metric.is_count else metric.name
                for metric in metrics
            ),
        ]
        return f"select {', '.join(columns)} from (\n{found.sql_statement.sql}\n)"

    def _metric(self, metric: dict[str, Any]) -> Metric:
        meta = metric["config"]["meta"]
        name = metric["name"]
        found = self._engine.simple_dimensions_for_metrics([name])
        # Two dimensions with one short name, such as of two joined tables, keep their full names.
        shorts = [each.name for each in found]
        measures = metric["type_params"]["input_measures"]
        return Metric(
            name,
            metric["label"] or name,
            metric["description"] or "",
            # Its folder is the domain's.
            metric["fqn"][-2],
            tuple(sorted({self._marts[measure["name"]] for measure in measures})),
            {
                each.name if shorts.count(each.name) == 1 else each.dunder_name: each.dunder_name
                for each in sorted(found, key=lambda each: each.dunder_name)
                if each.type.value == "categorical"
            },
            next(
                (each.dunder_name.removeprefix(f"{_TIME_DIMENSION}__") for each in found
                 if each.name == _TIME_DIMENSION), "day",
            ),
            meta.get("unit", ""),
            meta.get("format", ",.0f"),
            metric["type"] == "simple" and not meta,
        )  # fmt: skip


def read_metrics(manifest: Path) -> Metrics:
    """Read the metrics of dbt's manifest, at most once per process as long as the file does not change.

    Raises:
        ManifestError: the manifest cannot be read.
    """
    return _metrics(read_manifest(manifest))


@lru_cache(maxsize=2)
def _metrics(manifest: Manifest) -> Metrics:
    return Metrics(manifest)


def _filled(condition: str, terms: dict[str, str], names: Sequence[str]) -> str:
    try:
        return condition.format_map(terms)
    except KeyError as error:
        (unknown,) = error.args
        known = ", ".join(name for name in terms if name != TIME)
        raise MetricError(
            f"{', '.join(names)} have no dimension {unknown!r}. There are: {known or 'none'}."
        ) from error
