"""Metrics: what the dbt project defines, and the values of their queries."""

from pathlib import Path

import duckdb
import pytest

from settings import Settings
from tests.parsed import Parsed
from transformation.manifest import Manifest
from transformation.metrics import Metrics, read_metrics

DAYS = """
create schema marts;
create table marts.agg_sentiment_by_topic_day as
from (values
    (date '2024-01-01', 'rates', 4, 3, 2, 0, 0.5), (date '2024-01-09', 'rates', 1, 1, 0, 1, -0.5),
    (date '2024-02-01', 'o''clock', 2, 0, 0, 0, null)
) as days(published_on, topic, articles, articles_with_sentiment, positive_articles, negative_articles, average_sentiment);
create table marts.agg_trips_by_zone_hour as
from (values (date '2024-01-01', 1, 8, 10, 99.5), (date '2024-02-01', 2, 8, 5, 10.25)) as
hours(pickup_month, pickup_location_id, pickup_hour, trips, revenue);
create table marts.dim_zones as from (values (1, 'Alley Park', 'Queens'), (2, 'Corona', 'Queens'))
as zones(location_id, zone, borough);
"""


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory, project: Parsed) -> Metrics:
    settings = project.put(Settings(data_dir=tmp_path_factory.mktemp("metrics"), env="dev"))
    return read_metrics(settings.manifest)


@pytest.fixture
def marts() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(DAYS)
    return connection


def test_every_domain_has_metrics_that_say_what_they_are(metrics: Metrics) -> None:
    for domain in ("collisions", "ecommerce", "news", "sales", "taxi"):
        assert len(metrics.of(domain)) >= 4
    for metric in metrics.all.values():
        assert metric.label != metric.name
        assert metric.description.endswith(".")
        assert metric.dimensions
        # Each is known by its short name.
        assert not any("__" in name for name in metric.dimensions), metric.name


def test_a_mean_of_means_is_weighted(metrics: Metrics, marts: duckdb.DuckDBPyConnection) -> None:
    query = metrics.sql(["average_sentiment", "enriched_share", "articles"], ["topic"], "month")
    found = marts.execute(f"{query} order by all").fetchall()
    expected = [("2024-01-01", "rates", (3 * 0.5 - 0.5) / 4, 0.8, 5), ("2024-02-01", "o'clock", None, 0.0, 2)]
    assert [(f"{month}", *values) for month, *values in found] == expected


def test_values_are_parameters(metrics: Metrics, marts: duckdb.DuckDBPyConnection) -> None:
    query = metrics.sql(["articles"], where=["{topic} = $topic", "{time} >= $since"])
    for topic, expected in {"o'clock": 2, "{{ x }}' or true --": None}.items():
        assert marts.execute(query, {"topic": topic, "since": "2024-01-15"}).fetchone() == (expected,)


def test_a_dimension_of_another_mart_is_joined(metrics: Metrics, marts: duckdb.DuckDBPyConnection) -> None:
    query = metrics.sql(["zone_trips", "zone_revenue"], ["zone"], where=["{borough} = 'Queens'"])
    assert marts.execute(f"{query} order by all").fetchall() == [
        ("Alley Park", 10, 99.5),
        ("Corona", 5, 10.25),
    ]


@pytest.mark.parametrize(
    ("names", "by", "grain", "where", "message"),
    [
        (["revenu"], (), None, (), "no metric is called 'revenu'. Did you mean 'revenue'?"),
        (["revenue"], ["zone"], None, (), "revenue cannot be split by 'zone'. There are: category, region."),
        (["collisions"], (), "day", (), "collisions have no step 'day'. There are: month, quarter, year."),
        (["orders", "trips"], (), None, (), "metrics of one question are of one domain, and orders, trips are not"),
        (["orders"], (), None, ["{zone} = 1"], "orders have no dimension 'zone'. There are: category, region."),
    ],
)  # fmt: skip
def test_what_does_not_exist_is_named_with_what_does(
    metrics: Metrics, names: list[str], by: list[str], grain: str | None, where: list[str], message: str
) -> None:
    with pytest.raises(LookupError) as error:
        metrics.sql(names, by, grain, where)
    assert str(error.value) == message


def test_a_project_without_metrics_has_none() -> None:
    assert Metrics(Manifest({"nodes": {}})).all == {}


def test_a_changed_manifest_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_text('{"nodes": {}}')
    before = read_metrics(path)
    assert read_metrics(path) is before
    path.write_text('{"nodes": {} }')
    assert read_metrics(path) is not before
