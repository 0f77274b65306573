"""A domain of several entities: which files are whose, and loading some entities only."""

import pytest

from cli.main import main
from ingestion.load import load_domain
from ingestion.registry import UnknownEntityError, entities_of
from tests.ingestion.conftest import Deliver, Query, load_shop

ORDER = "1,1,P1,2,9.50,2022-04-18,paid"
CUSTOMER = "1,Ann,ann@example.com,EU,2022-04-18"
STRAY = "no resource takes files of this name; known: orders*, customers*, products*, corrections*"


def test_each_file_goes_to_the_entity_of_its_name(shop: Deliver, query: Query) -> None:
    shop("orders_1.csv", ORDER)
    shop("customers.csv", CUSTOMER)
    shop("products.csv", "P1,Lamp,home,4.00")
    assert load_shop() == {
        ("orders", "orders_1.csv"): "loaded",
        ("customers", "customers.csv"): "loaded",
        ("products", "products.csv"): "loaded",
    }
    assert query("select order_id, status, _source_file from raw_ecommerce.orders") == [
        ("1", "paid", "orders_1.csv")
    ]
    assert query("select name, region from raw_ecommerce.customers") == [("Ann", "EU")]
    assert query("select product_name, unit_cost from raw_ecommerce.products") == [("Lamp", "4.00")]
    assert set(load_shop().values()) == {"skipped"}


def test_only_the_entities_asked_for_are_loaded(shop: Deliver, query: Query) -> None:
    shop("orders_1.csv", ORDER)
    shop("customers.csv", CUSTOMER)
    assert load_shop("customers") == {("customers", "customers.csv"): "loaded"}
    assert (
        main(["load", "ecommerce", "--entity", "orders", "--entity", "products", "--entity", "customers"])
        == 0
    )
    assert query("select entity, source_file from raw_ecommerce.file_loads order by 1") == [
        ("customers", "customers.csv"),
        ("orders", "orders_1.csv"),
    ]


def test_an_unknown_entity_names_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    message = "ecommerce has no entity 'order'; there are: orders, customers, products"
    with pytest.raises(UnknownEntityError, match=message):
        load_domain("ecommerce", entities=["orders", "order"])
    assert main(["load", "ecommerce", "--entity", "order"]) == 2
    assert message in capsys.readouterr().err
    assert entities_of("ecommerce") == ["orders", "customers", "products"]


def test_a_file_of_no_feed_fails_once_over_all_entities(shop: Deliver, query: Query) -> None:
    shop("orders_1.csv", ORDER)
    shop("returns_1.csv", "1", header="return_id")
    # Not a delivery yet, or none at all.
    shop("orders_2.csv.part", "half", header="order_id")
    shop(".hidden.csv", "1", header="order_id")
    found = [load_shop(entity) for entity in entities_of("ecommerce")]
    assert found == [
        {("orders", "orders_1.csv"): "loaded", ("none", "returns_1.csv"): STRAY},
        {},
        {},
    ]
    load_shop()
    assert query("select entity, status, reason from raw_ecommerce.file_loads where status = 'failed'") == [
        ("none", "failed", STRAY)
    ]


def test_a_column_named_like_a_word_of_sql_is_kept(shop: Deliver, query: Query) -> None:
    shop(
        "products.csv",
        "P1,Lamp,home,4.00,7,8",
        header="product_id,product_name,category,unit_cost,Order,group",
    )
    load_shop("products")
    assert query('select "order", "group" from raw_ecommerce.products') == [("7", "8")]
