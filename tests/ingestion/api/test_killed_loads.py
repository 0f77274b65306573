"""Loads from an API that are killed, and other processes that use the warehouse meanwhile."""

import duckdb
import pytest

import settings as project_settings
from samples.apis.faults import Fault
from samples.apis.server import SampleApis
from settings import Settings
from tests.ingestion.api.helpers import DELIVERED, Load, check_counts, offered
from tests.ingestion.conftest import Query
from tests.kill_at import COMPLETE, COPY, MERGE, Point, named, run_to_death

POINTS = [
    ("ingestion.api.client:ApiClient.extract_response", "after", 2),
    ("dlt.extract.extract:Extract.extract", "after", 1),
    ("dlt.normalize.normalize:Normalize.run", "after", 1),
    (COPY, "after", 1),
    (MERGE, "before", 1),
    (MERGE, "after", 1),
    (MERGE, "after", 2),
    (COMPLETE, "before", 1),
    (COMPLETE, "after", 1),
]


@pytest.mark.parametrize("point", POINTS, ids=named)
def test_next_load_completes_a_killed_one(point: Point, load: Load, apis: SampleApis, query: Query) -> None:
    apis.products.products[0:0] = [{"name": "no id", "updated_at": "2024-01-01T00:00:00Z"}]
    load()
    # So far apart that no change is in the overlap of another.
    for number, day in ((1, "2024-03-01"), (2, "2024-03-05"), (300, "2024-03-09")):
        apis.products.change(number, price=2.5, updated_at=f"{day}T00:00:00Z")
    apis.products.products.append({"name": "nor this", "updated_at": "2024-03-02T00:00:00Z"})
    run_to_death(point, project_settings.load(), "cli", "load", "products")
    load()
    apis.products.products = [each for each in apis.products.products if "id" in each]
    assert query(DELIVERED) == offered(apis)
    assert query("select count(*) from raw_sales.rejected_lines") == [(2,)]
    check_counts(query)
    assert load().status == "skipped"


def test_warehouse_is_free_while_the_api_is_read(load: Load, apis: SampleApis, settings: Settings) -> None:
    opened = []

    def write() -> None:
        with duckdb.connect(str(settings.warehouse)) as connection:
            opened.append(connection.execute("create schema if not exists elsewhere").fetchall())

    apis.faults.coming = [None, Fault(then=write)]
    load()
    assert len(opened) == 1
