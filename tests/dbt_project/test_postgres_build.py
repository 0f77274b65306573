"""All models on PostgreSQL: the same rows as on DuckDB, value for value, at first and as deliveries go on."""

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
    """A first delivery to all domains, with every kind of defect, built in both."""
    with postgres() as server:
        # Nobody needs what is left of this server when the machine goes down.
        server.psql("alter system set fsync = off")
        server.psql("select pg_reload_conf()")
        folder = tmp_path_factory.mktemp("platform")
        with delivered(folder, lambda settings: PostgresTwin(settings, server)) as platform:
            yield platform


def test_unit_tests_pass(platform: Platform) -> None:
    platform.twin.run_unit_tests()


def test_every_table_is_the_same(platform: Platform) -> None:
    compared, differing = platform.twin.compare()
    assert differing == {}
    assert compared > 20_000


def test_later_deliveries_change_the_same_rows_and_write_the_same_months(platform: Platform) -> None:
    platform.deliver_later()
    platform.build()
    assert platform.twin.compare()[1] == {}
    platform.assert_same_months_written()


def test_what_was_built_step_by_step_equals_a_full_refresh(platform: Platform) -> None:
    # Views that stand on a table go with it and come again, so that all models are built.
    platform.twin.build("--full-refresh", "--resource-type", "model")
    assert platform.twin.compare()[1] == {}


def test_a_view_that_is_built_alone_leaves_those_that_stand_on_it(platform: Platform) -> None:
    views = "select count(*) from pg_views where schemaname in ('clean', 'curated')"
    before = platform.twin.query(views)
    platform.twin.build("--select", "clean_taxi__trips", "--exclude", UNIT_TESTS)
    assert platform.twin.query(views) == before
