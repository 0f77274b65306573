"""Rows that come back mended: what they replace, and files with lines of several entities."""

import gzip

import pytest

from ingestion.load import load_domain
from ingestion.registry import entities_of
from ingestion.sources.collisions import CRASHES
from settings import Settings
from tests.ingestion.conftest import Deliver, Query, crash, load_shop

ENTITIES = ("orders", "customers", "products")
# As an export of the quarantine has it: first what is for the platform and for people.
EXPORT = (
    "_entity,_row_id,_source_file,_line_number,_reasons,_rejected_line,"
    "order_id,customer_id,product_id,quantity,unit_price,order_date,status,"
    "name,email,region,updated_at,product_name,category,unit_cost"
)
ORDER = "orders, old-1 ,orders_1.csv,2,quantity is a count,,7,1,P1,2,9.50,2022-04-18,paid,,,,,,,"
CUSTOMER = "customers,old-L3,customers.csv,3,cut,Ann,,1,,,,,,Ann,ann@example.com,EU,2022-04-18,,,"
PRODUCT = "products,,,,,,,,P1,,,,,,,,,Lamp,home,4.00"


def corrections(shop: Deliver, *lines: str, name: str = "corrections.csv") -> None:
    shop(name, *lines, header=EXPORT)


def test_each_entity_takes_its_own_lines(shop: Deliver, query: Query) -> None:
    corrections(shop, ORDER, CUSTOMER, PRODUCT, CUSTOMER.replace("Ann", "Bob"))
    assert load_shop() == {(entity, "corrections.csv"): "loaded" for entity in ENTITIES}
    assert query("select order_id, quantity, _corrects_row_id, _source_row from raw_ecommerce.orders") == [
        ("7", "2", "old-1", 1)
    ]
    assert query(
        "select name, region, _corrects_row_id, _source_row from raw_ecommerce.customers order by all"
    ) == [("Ann", "EU", "old-L3", 2), ("Bob", "EU", "old-L3", 4)]
    assert query("select product_id, product_name, _corrects_row_id from raw_ecommerce.products") == [
        ("P1", "Lamp", None)
    ]
    assert query(
        "select entity, rows_read, rows_loaded, rows_rejected, extra_columns "
        "from raw_ecommerce.file_loads order by 1"
    ) == [("customers", 2, 2, 0, None), ("orders", 1, 1, 0, None), ("products", 1, 1, 0, None)]
    # No _row_id twice in the domain, and no column of one entity, or of the export, in another's table.
    ids = " union all ".join(f"select _row_id from raw_ecommerce.{entity}" for entity in ENTITIES)
    assert query(f"select count(*), count(distinct _row_id) from ({ids})") == [(4, 4)]
    columns = (
        "select column_name from duckdb_columns() where schema_name = 'raw_ecommerce' and table_name = ?"
    )
    found = {name for (name,) in query(columns, "products") if not name.startswith("_")}
    assert found == {"product_id", "product_name", "category", "unit_cost"}
    assert set(load_shop().values()) == {"skipped"}


def test_tasks_of_single_entities_count_every_line_once(shop: Deliver, query: Query) -> None:
    corrections(shop, CUSTOMER, "cut,off", PRODUCT, 'products,"open', ORDER)
    for entity in reversed(entities_of("ecommerce")):
        assert load_shop(entity) == {(entity, "corrections.csv"): "loaded"}
    assert query("select entity, rows_read, rows_rejected from raw_ecommerce.file_loads order by 1") == [
        ("customers", 1, 0),
        ("orders", 3, 2),
        ("products", 1, 0),
    ]
    prefix = query("select left(_row_id, 16) from raw_ecommerce.orders")[0][0]
    assert query("select entity, line, _row_id from raw_ecommerce.rejected_lines order by line_number") == [
        ("orders", "cut,off", f"{prefix}-L3"),
        ("orders", 'products,"open', f"{prefix}-L5"),
    ]


def test_an_entity_without_lines_needs_no_columns_either(shop: Deliver, query: Query) -> None:
    header = "_entity,_row_id,product_id,product_name,category,unit_cost"
    shop("corrections_1.csv", "products,old-1,P1,Lamp,home,4.00", "cut", header=header)
    assert set(load_shop().values()) == {"loaded"}
    assert query("select entity, rows_loaded, rows_rejected from raw_ecommerce.file_loads order by 1") == [
        ("customers", 0, 0),
        ("orders", 0, 1),
        ("products", 1, 0),
    ]


def test_later_corrections_leave_the_earlier_ones_of_the_same_name(shop: Deliver, query: Query) -> None:
    corrections(shop, ORDER)
    load_shop()
    corrections(shop, ORDER.replace("old-1", "old-2"))
    assert set(load_shop().values()) == {"loaded"}
    assert query("select _corrects_row_id from raw_ecommerce.orders order by 1") == [("old-1",), ("old-2",)]


def test_corrections_are_loaded_after_the_other_files(shop: Deliver, query: Query) -> None:
    corrections(shop, ORDER)
    shop("orders_1.csv", "7,1,P1,-2,9.50,2022-04-18,paid")
    load_shop("orders")
    assert query("select quantity from raw_ecommerce.orders order by _dlt_load_id") == [("-2",), ("2",)]


def test_a_column_that_raw_knows_is_kept_and_a_new_one_is_not(shop: Deliver, query: Query) -> None:
    header = "product_id,product_name,category,unit_cost,colour"
    shop("products.csv", "P1,Lamp,home,4.00,red", header=header)
    load_shop()
    shop("corrections.csv", "products,x-1,P1,Lamp,home,4.00,blue,?", header=f"_entity,_row_id,{header},note")
    load_shop()
    assert query("select colour from raw_ecommerce.products order by 1") == [("blue",), ("red",)]
    assert query("select * from duckdb_columns() where column_name = 'note'") == []


def test_compressed_corrections_are_taken_too(shop: Deliver, settings: Settings, query: Query) -> None:
    landing = settings.landing("ecommerce")
    landing.mkdir(parents=True)
    (landing / "corrections.csv.gz").write_bytes(gzip.compress(f"{EXPORT}\n{ORDER}\n".encode()))
    load_shop()
    assert query("select count(*) from raw_ecommerce.orders") == [(1,)]


def test_an_entitys_own_file_may_replace_rows(shop: Deliver, query: Query) -> None:
    corrections(shop, ORDER, "orders,cut", name="orders_fixed.csv")
    header = "_row_id,_reasons,_reasons,customer_id,name,email,region,updated_at"
    shop("customers_fixed.csv", "old-9,a,b,1,Ann,ann@example.com,EU,2022-04-18", header=header)
    shop(
        "products_fixed.csv",
        "products,P1,Lamp,home,4.00",
        "products,cut",
        header="_entity,product_id,product_name,category,unit_cost",
    )
    assert set(load_shop().values()) == {"loaded"}
    assert query("select _corrects_row_id from raw_ecommerce.orders") == [("old-1",)]
    assert query("select entity, line from raw_ecommerce.rejected_lines order by 1") == [
        ("orders", "orders,cut"),
        ("products", "products,cut"),
    ]
    assert query("select name, _corrects_row_id from raw_ecommerce.customers") == [("Ann", "old-9")]
    columns = "select column_name from duckdb_columns() where schema_name = 'raw_ecommerce' and column_name "
    assert query(f"{columns} in ('_reasons', '_entity', '_line_number', '_rejected_line')") == []
    assert query(f"{columns} = 'region'") == [("region",)]


def test_what_is_replaced_is_trimmed_and_empty_is_nothing(deliver: Deliver, query: Query) -> None:
    header = f"{','.join(CRASHES.columns)},_row_id"
    deliver("a.csv", f"{crash(1)}, x-1\t", f"{crash(2)},", f'{crash(3)},"  "', header=header)
    load_domain("collisions")
    assert query("select collision_id, _corrects_row_id from raw_collisions.crashes order by 1") == [
        ("1", "x-1"),
        ("2", None),
        ("3", None),
    ]


BAD = {
    "corrections.csv": (
        EXPORT,
        [ORDER, ORDER.replace("orders,", "order,", 1)],
        "some lines is order; there are",
    ),
    "corrections_2.csv": (
        EXPORT,
        [ORDER, ORDER.replace("orders,", " ,", 1)],
        "some lines is (empty); there are",
    ),
    "corrections_3.csv": (EXPORT.replace("_entity,", ""), [ORDER.split(",", 1)[1]], "need a column _entity"),
    "corrections_4.csv": (EXPORT, ["cut"], "none of its lines can be split"),
    "orders_fixed.csv": (
        EXPORT,
        [ORDER, CUSTOMER],
        "it has lines whose _entity is customers, not orders; deliver it as corrections*.csv",
    ),
    "orders_twice.csv": (
        f"{EXPORT},_row_id",
        [f"{ORDER},x"],
        "columns '_row_id' and '_row_id' are both read as _corrects_row_id",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_whose_lines_have_no_home_fails(name: str, shop: Deliver, query: Query) -> None:
    header, lines, reason = BAD[name]
    shop(name, *lines, header=header)
    found = load_shop()
    assert {entity for entity, _ in found} == ({"orders"} if name.startswith("orders") else set(ENTITIES))
    assert all(reason in status for status in found.values())
    for entity in ENTITIES:
        assert query(f"from raw_ecommerce.{entity}") == []


def test_corrections_without_a_known_column_fail_for_their_entity_alone(shop: Deliver) -> None:
    header = EXPORT.replace("region", "county")
    shop("corrections.csv", ORDER, CUSTOMER, header=header)
    assert load_shop() == {
        ("orders", "corrections.csv"): "loaded",
        ("customers", "corrections.csv"): "columns are missing: region",
        ("products", "corrections.csv"): "loaded",
    }


def test_a_file_that_replaces_a_rejected_line_can_name_it(shop: Deliver, query: Query) -> None:
    shop("customers.csv", "1,Ann,ann@example.com,EU,2022-04-18", "2,Bob")
    load_shop()
    ((rejected,),) = query("select _row_id from raw_ecommerce.rejected_lines")
    assert rejected == query("select left(_row_id, 16) || '-L3' from raw_ecommerce.customers")[0][0]
