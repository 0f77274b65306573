"""Deliveries with every kind of defect to all domains, built on two engines from the same raw rows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

import settings as project_settings
from ingestion.load import load_domain
from ingestion.registry import domains
from observability.health.collect import collect
from samples.apis.news import article
from samples.apis.server import SampleApis, serving
from samples.apis.variables import variables
from samples.collisions import write_collisions
from samples.ecommerce import write_ecommerce
from samples.sales import write_sales
from samples.taxi import write_taxi
from settings import Settings
from tests.dbt_project.twin import Twin
from tests.parsed import lineage_of
from transformation.dbt import UNIT_TESTS, run_dbt

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
# Runs of each pipeline in Airflow, as `sluice health` collects them.
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


MODELS = ("--resource-type", "model", "--resource-type", "seed")
#: Tables that are rebuilt by month, and their month column.
BY_MONTH = {
    "fct_trips": "file_month",
    "agg_trips_by_day": "pickup_month",
    "fct_collisions": "crash_month",
    "fct_orders": "order_month",
}


class Platform:
    """A warehouse that deliveries are loaded into, and a database of another engine with the same raw tables."""

    def __init__(self, settings: Settings, apis: SampleApis, twin: Twin) -> None:
        self.settings, self.apis, self.twin = settings, apis, twin

    def deliver(self, domain: str, name: str, header: str, lines: list[str]) -> None:
        """Put a file into a domain's landing folder."""
        path = self.settings.landing(domain) / name
        path.write_text("".join(f"{line}\n" for line in [header, *lines]))

    def build(self, *options: str) -> None:
        """Load new files and build both databases; without options for dbt, the twin's data tests run as well."""
        for domain in domains():
            load_domain(domain, self.settings)
        collect(self.settings)
        # The data tests of DuckDB run in the other modules of this folder.
        run_dbt(["build", *MODELS], self.settings, quiet=True)
        self.lineage = lineage_of(self.settings.dbt_target / "manifest.json")
        self.twin.take_raw()
        self.twin.build(*(options or ("--exclude", UNIT_TESTS)))

    def assert_same_lineage(self) -> None:
        """Every column of the other database has the sources that it has on DuckDB."""
        ours, theirs = self.lineage, self.twin.lineage
        assert {name: {*table.columns} for name, table in theirs.tables.items()} == {
            name: {*table.columns} for name, table in ours.tables.items()
        }
        differing = {
            f"{name}.{column}": (ours.column(f"{name}.{column}").sources, values.sources)
            for name, table in theirs.tables.items()
            for column, values in table.columns.items()
            if ours.column(f"{name}.{column}").sources != values.sources
        }
        assert differing == {}

    def deliver_first(self) -> None:
        """Deliver to every domain."""
        landing = self.settings.landing
        write_collisions(landing("collisions") / "crashes_1.csv", rows=1_500)
        write_ecommerce(landing("ecommerce"), orders=1_500, customers=150, products=40)
        self.deliver("ecommerce", "customers_2.csv", *CUSTOMERS)
        self.deliver("ecommerce", "orders_2.csv", *ORDERS)
        self.deliver(
            "ecommerce", "products_2.csv", "product_id,product_name,category,unit_cost", ["P1,Tee,Grüße,0.2"]
        )
        write_sales(landing("sales"), rows=900, products=40)
        write_taxi(landing("taxi"), months=["2024-01", "2024-02"], rows=1_500)
        self.apis.news.publish(article(201), title=" ", source={"id": None, "name": None})
        self.apis.news.publish({**article(202), "source": "The Herald"})
        self.apis.news.publish(article(203), title='"Quotes"\\, a\ttab and\nlines')
        collect(self.settings)
        with duckdb.connect(str(self.settings.warehouse)) as warehouse:
            warehouse.execute(
                "create temp table pipelines as select unnest(['taxi', 'news', 'sales']) as pipeline"
            )
            warehouse.execute(AIRFLOW)

    def deliver_later(self) -> None:
        """Deliver a month again and a new one, corrected orders, new and changed customers, articles and products."""
        landing = self.settings.landing
        write_taxi(landing("taxi"), months=["2024-02"], rows=900, defects={})
        write_taxi(landing("taxi"), months=["2024-03"], rows=500)
        write_collisions(landing("collisions") / "crashes_2.csv", rows=6, seed=2, defects={})
        header, orders = ORDERS
        self.deliver(
            "ecommerce", "orders_2.csv", header, [order.replace(",P2,", ",P1,") for order in orders[:5]]
        )
        self.deliver(
            "ecommerce",
            "customers_3.csv",
            CUSTOMERS[0],
            ["C1,Ann,ann@x.org,West,2024-05-10 08:00:00", "C3,Cy,cy@x.org,,"],
        )
        self.apis.products.change(2, price=35, category="Home")
        self.apis.news.publish(article(202))

    def months_written_last(self, table: str) -> tuple[set[str], set[str], set[str]]:
        """Return the months that the last build wrote on DuckDB and on the other engine, and all months of the table."""
        every = f"select distinct cast({BY_MONTH[table]} as varchar(10)) from marts.{table}"
        last = f"{every} where _built_at = (select max(_built_at) from marts.{table})"
        with self.twin.warehouse() as warehouse:
            ours = warehouse.execute(last).fetchall()
        return tuple(
            {month for (month,) in months} for months in (ours, self.twin.query(last), self.twin.query(every))
        )

    def assert_same_months_written(self, *tables: str) -> None:
        """Assert that the last build wrote only the months of `deliver_later` on both engines."""
        for table in tables or BY_MONTH:
            ours, theirs, months = self.months_written_last(table)
            assert ours == theirs < months
        assert self.months_written_last("fct_trips")[1] == {"2024-02-01", "2024-03-01"}


@contextmanager
def platform(folder: Path, twin: Callable[[Settings], Twin]) -> Iterator[Platform]:
    """Load and build the first deliveries in a folder."""
    apis = SampleApis(articles=40, products=30)
    with serving(apis) as base, pytest.MonkeyPatch.context() as patch:
        for name, value in variables(base).items():
            patch.setenv(name, value)
        patch.setenv("NO_PROXY", "*")
        patch.setenv("SLUICE_FILE_STABLE_SECONDS", "0")
        patch.setenv("SLUICE_DATA_DIR", str(folder))
        settings = project_settings.load()
        running = Platform(settings, apis, twin(settings))
        running.deliver_first()
        # The data tests run in the next build.
        running.build(*MODELS)
        yield running
