"""A fact with months, and a query that sums it up."""

from settings import Settings
from tests.publishing.things import execute

ROWS = 20_000
SUMS = "select count(*), sum(amount)::int, min(amount)::int, max(amount)::int from marts.fct_things"


def build_larger(settings: Settings) -> None:
    execute(
        settings,
        "create or replace table marts.fct_things as"
        " select range + month * 50000 as id, (date '2022-01-01' + to_months(month::integer))::date as month,"
        " 1.0::decimal(18, 2) as amount, md5((range * 12 + month)::text) as words"
        " from range(12) as months (month), range(50000) order by month",
    )
