"""How the steps of a run in a shell depend on each other. Whole runs are in end_to_end."""

import pytest

from ingestion.results import FilesFailedError
from observability.metrics.record import last_run_result
from orchestration.run import Run, run_domain
from settings import Settings
from tests.parsed import Parsed

BAD = "nothing,known\n1,2\n"


def deliver(settings: Settings, domain: str, **files: str) -> None:
    settings.landing(domain).mkdir(parents=True)
    for name, text in files.items():
        (settings.landing(domain) / f"{name}.csv").write_text(text)


def test_a_bad_file_stops_the_run_after_every_entity_is_loaded(settings: Settings, project: Parsed) -> None:
    project.put(settings)
    products = "product_id,product_name,category,unit_cost\nP1,Pen,office,1.5\n"
    deliver(settings, "ecommerce", orders=BAD, customers=BAD, products=products)
    run = Run("ecommerce", settings)
    with pytest.raises(FilesFailedError, match=r"orders.csv: none of the known.*; customers.csv: none of"):
        run_domain(run)
    assert run.publication is None
    assert [step.id for step in run.failed] == ["ingest_orders", "ingest_customers"]
    recorded = last_run_result("ecommerce", settings)
    assert recorded.status == "failed"
    assert {stage["stage"]: stage["status"] for stage in recorded.stages} == {
        "ingest_orders": "failed",
        "ingest_customers": "failed",
        "ingest_products": "success",
    }
