"""How the steps of a run in a shell depend on each other. Whole runs are in end_to_end."""

from typing import Any

import pytest

import orchestration.run
from ingestion.results import FilesFailedError
from ingestion.sources.collisions import CRASHES
from ingestion.sources.taxi import TRIPS
from observability.metrics.record import last_run_result
from orchestration.run import Run, run_domain
from settings import Settings
from tests.parsed import Parsed

BAD = "nothing,known\n1,2\n"
ORDERS = "order_id,customer_id,product_id,quantity,unit_price,order_date,status\nO1,C1,P1,1,2.00,2024-05-01,placed\n"
CUSTOMERS = "customer_id,name,email,region,updated_at\nC1,Ann,a@example.org,North,2024-05-01 10:00:00\n"
PRODUCTS = "product_id,product_name,category,unit_cost\nP1,Pen,office,1.5\n"
SALES = "date,store,product_id,quantity,price\n2024-05-01,North,P1,1,4.50\n"


def deliver(settings: Settings, domain: str, **files: str) -> None:
    settings.landing(domain).mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (settings.landing(domain) / f"{name}.csv").write_text(text)


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps after the loads, which do nothing but note that they ran."""
    found: list[str] = []

    def build(*_: Any, **__: Any) -> None:
        found.append("build")

    def publish(*_: Any, **__: Any) -> str:
        found.append("publish")
        return "published"

    monkeypatch.setattr(orchestration.run, "build", build)
    monkeypatch.setattr(orchestration.run, "publish", publish)
    monkeypatch.setattr(orchestration.run, "write_reports", lambda *_: [])
    monkeypatch.setenv("SLUICE_FILE_STABLE_SECONDS", "0")
    return found


def run(domain: str, settings: Settings) -> list[str]:
    """Run a domain; return the failed steps."""
    this = Run(domain, Settings(data_dir=settings.data_dir))
    run_domain(this)
    assert this.publication
    return [step.id for step in this.failed]


def test_nothing_is_published_while_an_entity_has_no_file_that_could_be_loaded(
    settings: Settings, project: Parsed
) -> None:
    project.put(settings)
    deliver(settings, "ecommerce", orders=BAD, customers=BAD, products=PRODUCTS)
    this = Run("ecommerce", settings)
    with pytest.raises(FilesFailedError, match=r"orders.csv: none of the known.*; customers.csv: none of"):
        run_domain(this)
    assert this.publication is None
    assert [step.id for step in this.failed] == ["ingest_orders", "ingest_customers"]
    recorded = last_run_result("ecommerce", settings)
    assert recorded.status == "failed"
    assert {stage["stage"]: stage["status"] for stage in recorded.stages} == {
        "ingest_orders": "failed",
        "ingest_customers": "failed",
        "ingest_products": "success",
    }


def test_a_stray_and_a_bad_file_leave_the_good_ones_to_be_published(
    settings: Settings, project: Parsed, done: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    project.put(settings)
    good = {"orders": ORDERS, "customers": CUSTOMERS, "products": PRODUCTS}
    deliver(settings, "ecommerce", **good, notes="just,notes\n", customers_2=BAD)
    assert run("ecommerce", settings) == ["ingest_orders", "ingest_customers"]
    # The good files are in the results beside the bad one.
    assert "loaded    orders  orders.csv  1 rows" in caplog.text
    # Also where nothing else is new.
    assert run("ecommerce", settings) == ["ingest_orders", "ingest_customers"]
    assert done == ["build", "publish"] * 2


@pytest.mark.parametrize("domain", ["taxi", "sales", "collisions"])
def test_a_bad_file_stops_no_other_domain_either(
    domain: str, settings: Settings, project: Parsed, done: list[str]
) -> None:
    project.put(settings)
    month = ",".join(TRIPS.columns) + "\n" + ",".join("1" for _ in TRIPS.columns) + "\n"
    crash = ",".join(CRASHES.columns) + "\n" + ",".join("1" for _ in CRASHES.columns) + "\n"
    files = {
        "taxi": {"yellow_tripdata_2024-01": month, "yellow_tripdata_2024-02": BAD},
        "sales": {"good": SALES, "bad": BAD},
        "collisions": {"good": crash, "bad": BAD},
    }
    entity = {"taxi": "trips", "sales": "sales", "collisions": "crashes"}[domain]
    deliver(settings, domain, **files[domain])
    assert f"ingest_{entity}" in run(domain, settings)
    assert done == ["build", "publish"]
