"""All models on Spark: the same rows and values as on DuckDB, after the first and after later deliveries."""

from collections.abc import Iterator

import pytest

from tests.dbt_project.deliveries import Platform
from tests.dbt_project.deliveries import platform as delivered
from tests.dbt_project.spark_twin import SparkTwin
from tests.servers.spark import spark
from transformation.dbt import UNIT_TESTS

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Deliver files with every kind of defect to all domains, and build them on both engines."""
    with spark(tmp_path_factory.mktemp("spark")) as server:
        folder = tmp_path_factory.mktemp("platform")
        with delivered(folder, lambda settings: SparkTwin(settings, server)) as platform:
            yield platform


def test_every_column_has_the_same_lineage(platform: Platform) -> None:
    platform.assert_same_lineage()


def test_numbers_are_read_as_their_column_says(platform: Platform) -> None:
    platform.twin.check_number_formats()


def test_every_table_is_the_same(platform: Platform) -> None:
    compared, differing = platform.twin.compare()
    assert differing == {}
    assert compared > 20_000


# The tests below build only taxi, the domain with the most models by month, because each statement takes Spark long.


def test_unit_tests_pass(platform: Platform) -> None:
    platform.twin.run_unit_tests("tag:taxi")


def test_later_deliveries_change_the_same_rows_and_write_the_same_months(platform: Platform) -> None:
    platform.deliver_later()
    platform.build("--select", "tag:taxi", "tag:shared", "--exclude", UNIT_TESTS)
    assert platform.twin.compare("taxi")[1] == {}
    platform.assert_same_months_written("fct_trips", "agg_trips_by_day")
