"""Records that one task reads and another one loads: nothing is lost or doubled, whatever happens in between."""

import pytest

import settings as project_settings
from ingestion.api.batch import Batch
from ingestion.api.load_api import fetch, fetched_file, load_fetched
from ingestion.load import fetch_records, load_domain
from ingestion.results import FilesFailedError
from ingestion.sources.products import PRODUCTS
from samples.apis.faults import KINDS
from samples.apis.server import SampleApis
from tests.ingestion.api.helpers import DELIVERED, check_counts, offered
from tests.ingestion.conftest import Query
from warehouse import connect


def test_records_are_read_by_one_step_and_loaded_by_another(apis: SampleApis, query: Query) -> None:
    own = project_settings.load()
    apis.products.products.append({"name": "no id", "updated_at": "2024-01-04T07:00:00Z"})
    assert fetch_records("sales", "products", own).results[0].rows_read == 201
    path = fetched_file(PRODUCTS, own)
    assert Batch.read(path) == fetch(PRODUCTS, own)
    assert query("select count(*) from raw_sales.products") == [(0,)]
    apis.faults.always = KINDS["500"]
    # A load that is killed after its commit is repeated.
    saved = path.read_bytes()
    (result,) = load_domain("sales", own, entities=["products"], fetched=True).results
    assert (result.status, result.rows_loaded, result.rows_rejected) == ("loaded", 200, 1)
    assert not path.exists()
    path.write_bytes(saved)
    (result,) = load_domain("sales", own, entities=["products"], fetched=True).results
    assert result.status == "skipped"
    apis.products.products.pop()
    assert query(DELIVERED) == offered(apis)
    check_counts(query)
    with pytest.raises(FilesFailedError, match="run fetch_products first"):
        load_domain("sales", own, entities=["products"], fetched=True)


def test_records_that_another_load_has_overtaken_are_not_loaded(apis: SampleApis, query: Query) -> None:
    own = project_settings.load()
    fetch_records("sales", "products", own)
    apis.products.change(7, price=8)
    load_domain("sales", own, entities=["products"])
    result = load_fetched(PRODUCTS, own)
    assert result.status == "skipped"
    assert "another load wrote the table" in result.reason
    assert query(DELIVERED) == offered(apis)


def test_api_that_cannot_be_read_leaves_nothing_to_load(apis: SampleApis) -> None:
    own = project_settings.load()
    apis.faults.coming = [KINDS["401"]]
    with pytest.raises(FilesFailedError, match="HTTP 401"):
        fetch_records("sales", "products", own)
    assert not fetched_file(PRODUCTS, own).exists()


def test_warehouse_is_free_while_the_api_is_read(apis: SampleApis) -> None:
    own = project_settings.load()
    free = []

    def look(body: bytes) -> bytes:
        with connect(own, "sales", wait_seconds=0) as warehouse:
            free.append(warehouse.columns("raw_sales", "products"))
        return body

    apis.faults.coming = [type(KINDS["500"])(edit=look)] * 3
    load_domain("sales", own, entities=["products"])
    assert len(free) == 3
