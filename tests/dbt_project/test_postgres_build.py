"""All models on PostgreSQL: the same rows and values as on DuckDB, after the first and after later deliveries."""

from collections.abc import Iterator

import pytest

from tests.dbt_project.deliveries import Platform
from tests.dbt_project.deliveries import platform as delivered
from tests.dbt_project.postgres_twin import PostgresTwin
from tests.servers.postgres import postgres
from transformation.dbt import UNIT_TESTS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Deliver files with every kind of defect to all domains, and build them on both engines."""
    with postgres() as server:
        # The server's data need not survive a crash.
        server.psql("alter system set fsync = off")
        server.psql("select pg_reload_conf()")
        folder = tmp_path_factory.mktemp("platform")
        with delivered(folder, lambda settings: PostgresTwin(settings, server)) as platform:
            yield platform


@pytest.mark.long
def test_unit_tests_pass(platform: Platform) -> None:
    platform.twin.run_unit_tests()


def test_every_column_has_the_same_lineage(platform: Platform) -> None:
    platform.assert_same_lineage()


def test_numbers_are_read_as_their_column_says(platform: Platform) -> None:
    platform.twin.check_number_formats()


def test_every_table_is_the_same(platform: Platform) -> None:
    compared, differing = platform.twin.compare()
    assert differing == {}
    assert compared > 20_000


def test_later_deliveries_change_the_same_rows_and_months_and_equal_a_full_refresh(
    platform: Platform,
) -> None:
    platform.deliver_later()
    platform.build()
    assert platform.twin.compare()[1] == {}
    platform.assert_same_months_written()
    # All models, because views are dropped with the tables that they depend on.
    platform.twin.build("--full-refresh", "--resource-type", "model")
    assert platform.twin.compare()[1] == {}


def test_rebuilding_one_view_keeps_its_dependents(platform: Platform) -> None:
    views = "select count(*) from pg_views where schemaname in ('clean', 'curated')"
    before = platform.twin.query(views)
    platform.twin.build("--select", "clean_taxi__trips", "--exclude", UNIT_TESTS)
    assert platform.twin.query(views) == before
