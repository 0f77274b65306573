"""Columns of a first try leave the raw table."""

import json
import shutil

import pytest

from cli.main import main
from ingestion.drop_columns import DropColumnsError, drop_columns
from ingestion.load import load_domain
from settings import Settings
from tests.ingestion.conftest import Deliver, Query

HEADER = "order_id,customer_id,product_id,quantity,unit_price,order_date,status"
ORDER = "C1,P1,1,9.50,2024-05-01,shipped"
DECLARED = {*HEADER.split(",")}


def columns(query: Query, schema: str = "raw_ecommerce") -> set[str]:
    """The columns of the raw table that files have."""
    found = query(
        "select column_name from information_schema.columns where table_schema = ? and table_name = 'orders'",
        schema,
    )
    return {name for (name,) in found if not name.startswith("_")}


@pytest.fixture
def tried(settings: Settings, shop: Deliver) -> Settings:
    """Load orders with a header that has other columns, and then as they should have been."""
    shop("orders.csv", f"O1,{ORDER},,red", header=f"{HEADER},weigth,Colour")
    load_domain("ecommerce", settings)
    shop("orders.csv", f"O1,{ORDER}", f"O2,{ORDER}")
    load_domain("ecommerce", settings)
    return settings


def test_the_columns_of_a_first_try_leave(tried: Settings, query: Query) -> None:
    assert columns(query) == {*DECLARED, "weigth", "colour"}
    assert drop_columns("ecommerce", ["orders.weigth"], tried) == ["orders.weigth"]
    assert columns(query) == {*DECLARED, "colour"}
    assert drop_columns("ecommerce", ["orders"], tried) == ["orders.colour"]
    assert columns(query) == columns(query, "raw_ecommerce_staging") == DECLARED
    assert drop_columns("ecommerce", ["orders"], tried) == []
    assert query("select order_id, status from raw_ecommerce.orders order by 1") == [
        ("O1", "shipped"),
        ("O2", "shipped"),
    ]


@pytest.mark.parametrize("is_lost", [False, True])
def test_dlt_loads_on_with_the_columns_that_are_left(
    tried: Settings, shop: Deliver, query: Query, is_lost: bool
) -> None:
    drop_columns("ecommerce", ["orders"], tried)
    # Once more, because dlt then has had the same schema before.
    shop("orders.csv", f"O1,{ORDER},,red", header=f"{HEADER},weigth,colour")
    load_domain("ecommerce", tried)
    shop("orders.csv", f"O1,{ORDER}")
    load_domain("ecommerce", tried)
    assert drop_columns("ecommerce", ["orders"], tried) == ["orders.weigth", "orders.colour"]
    if is_lost:
        shutil.rmtree(tried.dlt_dir)
    shop("orders.csv", f"O1,{ORDER}", f"O2,{ORDER}")
    shop("orders_2.csv", f"O3,{ORDER}")
    load_domain("ecommerce", tried)
    assert columns(query) == DECLARED
    assert query("select order_id from raw_ecommerce.orders order by 1") == [("O1",), ("O2",), ("O3",)]
    # A file may bring the column again.
    shop("orders_3.csv", f"O4,{ORDER},blue", header=f"{HEADER},colour")
    load_domain("ecommerce", tried)
    assert query("select colour from raw_ecommerce.orders where colour is not null") == [("blue",)]


def test_what_has_values_or_is_declared_stays(
    tried: Settings, shop: Deliver, query: Query, capsys: pytest.CaptureFixture
) -> None:
    shop("orders_2.csv", f"O3,{ORDER},blue,", header=f"{HEADER},colour,size")
    load_domain("ecommerce", tried)
    before = columns(query)
    for wanted, reason in {
        "orders.weigth,orders.colour": "orders.colour has values in 1 rows; --force-drop drops them",
        "orders.status": "orders.status is declared; take it out of the declaration first",
        "orders.price": "orders has no column price to drop; not declared are: weigth, colour, size",
        "order.price": "ecommerce has no entity order; there are: orders, customers, products",
    }.items():
        with pytest.raises(DropColumnsError) as refused:
            drop_columns("ecommerce", wanted.split(","), tried)
        assert str(refused.value) == reason
    assert columns(query) == before
    # The size is in a file that is loaded, if without a value.
    assert main(["load", "ecommerce", "--drop-columns", "orders", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"dropped": ["orders.weigth"]}
    assert main(["load", "ecommerce", "--drop-columns", "orders.colour,orders.size", "--force-drop"]) == 0
    assert columns(query) == DECLARED


def test_a_kill_between_dlt_and_the_table_is_mended(
    tried: Settings, shop: Deliver, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as killed:
        killed.setattr("warehouse.duckdb_file.DuckDbWarehouse.drop_columns", _die)
        with pytest.raises(KeyboardInterrupt):
            drop_columns("ecommerce", ["orders"], tried)
    shop("orders_2.csv", f"O3,{ORDER}")
    load_domain("ecommerce", tried)
    assert query("select order_id from raw_ecommerce.orders order by 1") == [("O1",), ("O2",), ("O3",)]
    assert drop_columns("ecommerce", ["orders"], tried) == ["orders.weigth", "orders.colour"]
    assert columns(query) == DECLARED


def _die(*_: object) -> None:
    raise KeyboardInterrupt
