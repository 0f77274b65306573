"""Feeds whose files are a change log: every content that came under a name stays."""

import duckdb
import pytest

from ingestion.load import load_domain
from ingestion.results import FilesFailedError
from settings import Settings
from tests.ingestion.conftest import Deliver, Query, load_shop

ANN = "1,Ann,ann@example.com,EU,2022-04-18"
ANN_MOVED = "1,Ann,ann@example.com,US,2022-05-01"
FILE = ("customers", "customers.csv")
REGIONS = "select region, _source_file from raw_ecommerce.customers order by _dlt_load_id"


def test_new_content_under_a_known_name_is_added(shop: Deliver, query: Query) -> None:
    shop("customers.csv", ANN, "cut")
    assert load_shop("customers") == {FILE: "loaded"}
    shop("customers.csv", ANN_MOVED, "also cut")
    assert load_shop("customers") == {FILE: "loaded"}
    assert query(REGIONS) == [("EU", "customers.csv"), ("US", "customers.csv")]
    assert query("select line from raw_ecommerce.rejected_lines order by _dlt_load_id") == [
        ("cut",),
        ("also cut",),
    ]
    assert query("select status, rows_read, rows_loaded, rows_rejected from raw_ecommerce.file_loads") == [
        ("loaded", 2, 1, 1),
        ("loaded", 2, 1, 1),
    ]
    assert query("select count(distinct _row_id) from raw_ecommerce.customers") == [(2,)]


def test_a_content_that_comes_again_is_the_newest_state(shop: Deliver, query: Query) -> None:
    for content in (ANN, ANN_MOVED, ANN):
        shop("customers.csv", content)
        assert load_shop("customers") == {FILE: "loaded"}
    assert query(REGIONS) == [("EU", "customers.csv"), ("US", "customers.csv"), ("EU", "customers.csv")]
    assert load_shop("customers") == {FILE: "skipped"}
    assert query("select count(distinct _row_id) from raw_ecommerce.customers") == [(3,)]
    assert query(
        "select delivery, count(*) from raw_ecommerce.file_loads where status = 'loaded' group by 1 order by 1"
    ) == [
        (1, 2),
        (2, 1),
    ]


def test_a_content_without_rows_leaves_all_earlier_ones(shop: Deliver, query: Query) -> None:
    for content in (ANN, ANN_MOVED):
        shop("customers.csv", content)
        load_shop("customers")
    shop("customers.csv")
    assert load_shop("customers") == {FILE: "loaded"}
    assert query(REGIONS) == [("EU", "customers.csv"), ("US", "customers.csv")]


def test_content_of_which_the_record_was_removed_is_loaded_again_once(
    settings: Settings, shop: Deliver, query: Query
) -> None:
    shop("customers.csv", ANN)
    load_shop("customers")
    shop("customers.csv", ANN_MOVED)
    load_shop("customers")
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute(
            "delete from raw_ecommerce.file_loads where loaded_at = (select max(loaded_at) from raw_ecommerce.file_loads)"
        )
    assert load_shop("customers") == {FILE: "loaded"}
    assert query(REGIONS) == [("EU", "customers.csv"), ("US", "customers.csv")]


def test_orders_are_replaced_as_ever(shop: Deliver, query: Query) -> None:
    shop("orders_1.csv", "1,1,P1,2,9.50,2022-04-18,paid")
    load_shop("orders")
    shop("orders_1.csv", "1,1,P1,3,9.50,2022-04-18,paid")
    assert load_shop("orders") == {("orders", "orders_1.csv"): "replaced"}
    assert query("select quantity from raw_ecommerce.orders") == [("3",)]


def test_a_known_file_is_loaded_again_if_it_is_named(settings: Settings, shop: Deliver, query: Query) -> None:
    shop("orders_1.csv", "1,1,P1,2,9.50,2022-04-18,paid")
    shop("customers.csv", ANN)
    load_domain("ecommerce")
    rows = "select _row_id, quantity from raw_ecommerce.orders"
    before = query(rows)
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute("update raw_ecommerce.orders set quantity = 'wrong'")
    summary = load_domain("ecommerce", reload=["orders_1.csv"])
    assert [(result.name, result.status) for result in summary.results] == [("orders_1.csv", "replaced")]
    assert query(rows) == before
    loads = "select status, rows_loaded from raw_ecommerce.file_loads where entity = 'orders'"
    assert query(loads) == [("loaded", 1)]
    load_domain("ecommerce", reload=["customers.csv"])
    assert query("select count(*), count(distinct _row_id) from raw_ecommerce.customers") == [(2, 2)]
    with pytest.raises(FilesFailedError, match="no resource takes files of this name"):
        load_domain("ecommerce", reload=["goods.csv"])


def test_a_mistyped_column_is_named(shop: Deliver, settings: Settings) -> None:
    shop("orders_1.csv")
    path = settings.landing("ecommerce") / "orders_1.csv"
    path.write_text(path.read_text().replace("unit_price", "Unit Prise"))
    with pytest.raises(FilesFailedError, match=r"columns are missing: unit_price \(is it 'unit_prise'\?\)"):
        load_domain("ecommerce")
