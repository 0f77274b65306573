"""Two dbt commands of different domains begin at the same time on a server that nothing has used yet."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg2
import pytest

from settings import Settings
from tests.servers.postgres_fixtures import server, settings  # noqa: F401
from transformation.dbt import run_dbt

SEED = "seed.sluice.taxi_rate_codes"


@pytest.mark.slow
def test_the_second_waits_and_takes_away_what_the_first_has_written(settings: Settings) -> None:  # noqa: F811
    at = settings.postgres
    access = {
        "host": at.host,
        "port": at.port,
        "dbname": at.database,
        "user": at.user,
        "password": at.password.get_secret_value(),
    }
    with (
        ThreadPoolExecutor(1) as pool,
        psycopg2.connect(**access) as first,
        closing(psycopg2.connect(**access)) as eye,
    ):
        eye.autocommit = True
        with first.cursor() as begun, eye.cursor() as looks:
            begun.execute("select pg_advisory_xact_lock(hashtext('sluice'), hashtext('dbt_state'))")
            begun.execute("create schema dbt_state")
            begun.execute("create table dbt_state.nodes (unique_id text, run_id text, fingerprint text)")
            begun.execute(f"insert into dbt_state.nodes values ('{SEED}', 'first', 'tested')")
            second = pool.submit(run_dbt, ["seed", "--select", "taxi_rate_codes"], settings, quiet=True)
            waits = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
            deadline = time.monotonic() + 90
            while not second.done() and time.monotonic() < deadline:
                looks.execute(waits)
                if looks.fetchone() == (1,):
                    break
                time.sleep(0.1)
            first.commit()
            second.result(timeout=120)
            looks.execute("select unique_id, run_id <> 'first', fingerprint from dbt_state.nodes")
            assert looks.fetchall() == [(SEED, True, None)]
