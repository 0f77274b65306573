"""All models on PostgreSQL: the same rows as on DuckDB, value for value, at first and as deliveries go on."""

from collections.abc import Iterator
from datetime import date

import duckdb
import pytest

import settings as project_settings
from ingestion.load import domains, load_domain
from operations.dbt import run_dbt
from operations.health.collect import collect
from samples.apis.news import article
from samples.apis.server import SampleApis, serving
from samples.apis.variables import variables
from samples.collisions import write_collisions
from samples.ecommerce import write_ecommerce
from samples.sales import write_sales
from samples.taxi import write_taxi
from settings import Settings
from tests.dbt_project.twin import Twin
from tests.servers.postgres import postgres

pytestmark = pytest.mark.slow

CUSTOMERS = ("customer_id,name,email,region,updated_at", [
    "C1,Ann,ann@x.org,North,2024-01-01 08:00:00",
    "C1,Ann, ANN@x.org\t,North \u00a0 West,2024-02-29T08:00:00+02:00",
    "C2,Bob,bob@x.org,,2024-03-10 02:30:00 America/New_York",
    "C3,Cy,cy@ex\u2003ample.org,South,",
    "C4,Di,di@x.org,South,24-1-5 1:2:3.4567891",
    "C6,Flo,josé@x.org,Straße,2024-12-31 24:00:00",
])  # fmt: skip
ORDERS = ("order_id,customer_id,product_id,quantity,unit_price,order_date,status", [
    f"X{number},C1,{product},{quantity},{price},{day},placed"
    for number, (product, quantity, price, day) in enumerate([
        ("P1", "3.0", "0.335", "2024-05-19"), ("P1", "+3", "1e3", "2024-5-9"), ("P2", "3.5", ".5", "2024/05/19"),
        ("P1", "2147483648", "5.", "24-05-19"), ("P1", "1", "1_000.00005", "2024-02-30"), ("P1", "1", "inf", "epoch"),
        ("P1", "1", "99999999999999.99995", "infinity"), ("P1", " 7\t", "\u00a07", "2024-05-19 10:30:00"), ("P1", "1", "-", "0"),
        ("P1", "0", "1e400", "2024-05-19T10:30:00+02"), ("P1", "1_0", "2.00005", "2023-02-29"), ("P1", "9", "7", "yesterday"),
    ])
])  # fmt: skip
# One run of each pipeline from Airflow, as `operations health` collects them.
AIRFLOW = """
    insert into raw_ops.airflow_pipelines select pipeline, 'What it does', '@daily', false, 'pipeline', '1', pipeline from pipelines;
    insert into raw_ops.airflow_runs
    select pipeline, 'manual__' || n, 'manual', case when n = 3 then 'failed' else 'success' end,
        begun, begun + to_milliseconds(n * 1234), begun + to_milliseconds(n * 98765), '1', pipeline || n
    from pipelines, (select n::int as n, timestamptz '2024-05-01 00:00:00+00' + to_days(n::int) as begun from range(30) as r (n));
    insert into raw_ops.airflow_tasks
    select pipeline, run_id, 'publish', -1, state, 1, 'python', 'warehouse_writer', queued_at, started_at, ended_at, '1', _dlt_id
    from raw_ops.airflow_runs;
    insert into raw_ops.costs select 'news', date '2024-05-01' + n::int, 0.123456789 * n, '1', n::text from range(3) as r (n);
    insert into raw_ops.published_days select pipeline, date '2024-05-01', 7, 5, 2, now(), '1', pipeline from pipelines;
"""


class Platform:
    """Deliveries to all domains, and both databases."""

    def __init__(self, settings: Settings, apis: SampleApis, twin: Twin) -> None:
        self.settings, self.apis, self.twin = settings, apis, twin

    def deliver(self, domain: str, name: str, header: str, lines: list[str]) -> None:
        """Put a file into a domain's landing folder."""
        path = self.settings.landing(domain) / name
        path.write_text("".join(f"{line}\n" for line in [header, *lines]))

    def build(self) -> None:
        """Load what is new and build it in both."""
        for domain in domains():
            load_domain(domain, self.settings)
        collect(self.settings)
        # Its data tests pass in the tests beside this one.
        run_dbt(["build", "--resource-type", "model", "--resource-type", "seed"], self.settings, quiet=True)
        self.twin.take_raw()
        self.twin.build("--exclude", "test_type:unit")

    def months_written_last(self, fact: str, month: str) -> tuple[set[date], set[date], set[date]]:
        """Months of a fact that the last build wrote, on DuckDB and on PostgreSQL, and all that there are."""
        sql = f"select distinct {month} from marts.{fact}"
        last = f"{sql} where _built_at = (select max(_built_at) from marts.{fact})"
        with duckdb.connect(str(self.settings.warehouse), read_only=True) as warehouse:
            ours = {month for (month,) in warehouse.execute(last).fetchall()}
        return (
            ours,
            {month for (month,) in self.twin.query(last)},
            {month for (month,) in self.twin.query(sql)},
        )


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A first delivery to all domains, with every kind of defect, built in both."""
    apis = SampleApis(articles=40, products=30)
    with postgres() as server, serving(apis) as base, pytest.MonkeyPatch.context() as patch:
        for name, value in variables(base).items():
            patch.setenv(name, value)
        patch.setenv("NO_PROXY", "*")
        patch.setenv("SLUICE_STILL_SECONDS", "0")
        patch.setenv("SLUICE_DATA_DIR", str(tmp_path_factory.mktemp("platform")))
        settings = project_settings.load()
        # Nobody needs what is left of this server when the machine goes down.
        server.psql("alter system set fsync = off")
        server.psql("select pg_reload_conf()")
        platform = Platform(settings, apis, Twin(settings, server))
        write_collisions(settings.landing("collisions") / "crashes_1.csv", rows=1_500)
        write_ecommerce(settings.landing("ecommerce"), orders=1_500, customers=150, products=40)
        platform.deliver("ecommerce", "customers_2.csv", *CUSTOMERS)
        platform.deliver("ecommerce", "orders_2.csv", *ORDERS)
        platform.deliver(
            "ecommerce", "products_2.csv", "product_id,product_name,category,unit_cost", ["P1,Tee,Grüße,0.2"]
        )
        write_sales(settings.landing("sales"), rows=900, products=40)
        write_taxi(settings.landing("taxi"), months=["2024-01", "2024-02"], rows=1_500)
        apis.news.publish(article(201), title=" ", source={"id": None, "name": None})
        apis.news.publish({**article(202), "source": "The Herald"})
        apis.news.publish(article(203), title='"Quotes"\\, a\ttab and\nlines')
        collect(settings)
        with duckdb.connect(str(settings.warehouse)) as warehouse:
            warehouse.execute(
                "create temp table pipelines as select unnest(['taxi', 'news', 'sales']) as pipeline"
            )
            warehouse.execute(AIRFLOW)
        platform.build()
        yield platform


def test_unit_tests_pass(platform: Platform) -> None:
    platform.twin.build("--select", "test_type:unit")


def test_every_table_is_the_same(platform: Platform) -> None:
    compared, differing = platform.twin.compare()
    assert differing == {}
    assert compared > 20_000


FACTS = {"fct_trips": "file_month", "fct_collisions": "crash_month", "fct_sales": "order_month"}


def test_later_deliveries_change_the_same_rows_and_write_the_same_months(platform: Platform) -> None:
    settings = platform.settings
    # A month again and a new one, corrected orders, customers that changed or arrived, mended articles and products.
    write_taxi(settings.landing("taxi"), months=["2024-02"], rows=900, defects={})
    write_taxi(settings.landing("taxi"), months=["2024-03"], rows=500)
    write_collisions(settings.landing("collisions") / "crashes_2.csv", rows=20, seed=2, defects={})
    header, orders = ORDERS
    platform.deliver(
        "ecommerce", "orders_2.csv", header, [order.replace(",P2,", ",P1,") for order in orders[:5]]
    )
    platform.deliver(
        "ecommerce",
        "customers_3.csv",
        CUSTOMERS[0],
        ["C1,Ann,ann@x.org,West,2024-05-10 08:00:00", "C3,Cy,cy@x.org,,"],
    )
    platform.apis.products.change(2, price=35, category="Home")
    platform.apis.news.publish(article(202))
    platform.build()
    assert platform.twin.compare()[1] == {}
    for fact, month in FACTS.items():
        ours, theirs, months = platform.months_written_last(fact, month)
        assert ours == theirs < months
    assert {month.isoformat() for month in platform.months_written_last("fct_trips", "file_month")[1]} == {
        "2024-02-01",
        "2024-03-01",
    }


def test_what_was_built_step_by_step_equals_a_full_refresh(platform: Platform) -> None:
    # Views that stand on a table go with it and come again, so that all models are built.
    platform.twin.build("--full-refresh", "--resource-type", "model")
    assert platform.twin.compare()[1] == {}


def test_a_view_that_is_built_alone_leaves_those_that_stand_on_it(platform: Platform) -> None:
    views = "select count(*) from pg_views where schemaname in ('clean', 'curated')"
    before = platform.twin.query(views)
    platform.twin.build("--select", "clean_taxi__trips", "--exclude", "test_type:unit")
    assert platform.twin.query(views) == before
