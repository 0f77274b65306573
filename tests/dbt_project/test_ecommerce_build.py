"""Ecommerce: counts and totals against an independent computation, and builds after later deliveries."""

from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from ingestion.files.file_resource import SchemaContract
from ingestion.load import load_domain
from ingestion.results import FilesFailedError
from ingestion.sources import ecommerce
from quality.quarantine import quarantine
from samples.delivery import Delivery
from samples.ecommerce import write_ecommerce
from tests.contents import differing
from tests.dbt_project.built import Built
from tests.forks import run_dbt
from tests.parsed import Parsed
from transformation.dbt import DbtError

pytestmark = pytest.mark.slow

ENTITIES = ("orders", "customers", "products")
ORDERS = 100_000
DEFECTS = {
    **dict.fromkeys(
        ("missing_order_id", "missing_customer_id", "missing_product_id", "missing_order_date"), 11
    ),
    **dict.fromkeys(("bad_order_date", "future_order_date", "bad_quantity", "bad_unit_price"), 23),
    **dict.fromkeys(("unknown_status", "unknown_customer", "unknown_product", "three_rules"), 17),
    **{"duplicate": 101, "cut_off": 7, "open_quote": 5, "customer_duplicate": 9},
    **dict.fromkeys(("customer_missing_id", "bad_email", "product_missing_id", "missing_product_name"), 4),
    **dict.fromkeys(("missing_category", "bad_unit_cost"), 3),
}


class Shop(Built):
    """A shop with deliveries."""

    def __init__(self, data_dir: Path, project: Parsed) -> None:
        super().__init__("ecommerce", data_dir, project)

    def statuses(self, entity: str) -> dict[str, str]:
        """Return the row_status of each row, and the rules that it fails, by its id."""
        one = entity.removesuffix("s")
        rows = self.query(
            f"select {one}_id, trim(row_status || ' ' || _failed_rules) from clean.validated_ecommerce__{entity} order by all"
        )
        return dict(rows)


# A hash of each order, whichever run wrote it.
SALES = "select order_id, hash(sale) from (select * exclude (_built_at) from marts.fct_orders) as sale"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory, project: Parsed) -> tuple[Shop, Delivery]:
    """Build a shop with 100,000 generated orders, some with known defects, once."""
    shop = Shop(tmp_path_factory.mktemp("generated"), project)
    delivery = write_ecommerce(
        shop.settings.landing("ecommerce"), orders=ORDERS, files=3, defects=DEFECTS, seed=7
    )
    shop.build()
    return shop, delivery


def test_unit_tests_pass(generated: tuple[Shop, Delivery]) -> None:
    shop, _ = generated
    shop.run_unit_tests()


def test_every_generated_row_has_the_expected_status(generated: tuple[Shop, Delivery]) -> None:
    shop, delivery = generated
    shop.assert_row_status(delivery)


def test_totals_equal_an_independent_computation_to_the_cent(generated: tuple[Shop, Delivery]) -> None:
    shop, delivery = generated
    orders = _valid_orders(delivery)
    (facts,) = shop.query(
        "select count(*), sum(quantity), sum(revenue), sum(cost_of_goods) from marts.fct_orders"
    )
    assert facts == (len(orders), orders["quantity"].sum(), orders["revenue"].sum(), orders["cost"].sum())

    def grouped(by: list[str]) -> dict[Any, Any]:
        return orders.groupby(by)["revenue"].sum().to_dict()

    daily = shop.query("select order_date::text, category, revenue from marts.agg_daily_order_revenue")
    assert {row[:2]: row[2] for row in daily} == grouped(["order_date", "category"])
    customers = shop.query("select customer_id, revenue from marts.agg_customer_summary")
    assert dict(customers) == grouped(["customer_id"])
    months = shop.query("select order_month::text, category, revenue from marts.agg_category_month")
    assert {row[:2]: row[2] for row in months} == grouped(["order_month", "category"])
    regions = shop.query(
        "select region, sum(revenue) from marts.fct_orders join marts.dim_customers using (customer_key) group by region"
    )
    assert dict(regions) == grouped(["region"])


def test_corrected_rows_become_valid_and_nothing_else_changes(
    generated: tuple[Shop, Delivery], tmp_path: Path
) -> None:
    shop, delivery = generated[0].copied_to(tmp_path / "data"), generated[1]
    before = {entity: _status_by_row(shop, entity) for entity in ENTITIES}
    sales = dict(shop.query(SALES))
    export = tmp_path / "bad.csv"
    quarantine("ecommerce", shop.settings, export=export)
    listed = pd.read_csv(export, dtype=str, keep_default_na=False)
    assert len(listed) == delivery.quarantined + delivery.rejected

    quantity = listed[listed["_reasons"] == "quantity_is_from_1_to_1000"].assign(quantity="3")
    email = listed[listed["_reasons"] == "email_is_valid"].assign(email="completed@example.com")
    cut = listed[listed["_rejected_line"].str.startswith("O") & (listed["_reasons"] != "")].head(1)
    line = cut["_rejected_line"].item().split(",")[0]
    completed = cut.assign(
        order_id=f"{line}-completed",
        customer_id="C0000001",
        product_id="P00001",
        quantity="1",
        unit_price="5.00",
    ).assign(order_date="2024-01-01", status="placed")
    corrections = pd.concat([quantity, email, completed])
    assert len(quantity) == DEFECTS["bad_quantity"]
    assert len(email) == DEFECTS["bad_email"]
    corrections.to_csv(shop.settings.landing("ecommerce") / "corrections_1.csv", index=False)
    shop.build()

    new = 0
    for entity in ENTITIES:
        after = _status_by_row(shop, entity)
        corrected = set(corrections["_row_id"]) & before[entity].keys()
        changed = {row for row, row_status in before[entity].items() if after.pop(row) != row_status}
        assert changed == corrected
        assert set(after.values()) <= {"valid"}
        new += len(after)
    assert new == len(corrections)
    after_sales = dict(shop.query(SALES))
    assert {order: row for order, row in after_sales.items() if order in sales} == sales
    assert len(after_sales) == len(sales) + len(quantity) + len(completed)
    left = quarantine("ecommerce", shop.settings)
    assert left.rows + left.rejected_lines == len(listed) - len(corrections)


def _status_by_row(shop: Shop, entity: str) -> dict[str, str]:
    return dict(shop.query(f"select _row_id, row_status from clean.validated_ecommerce__{entity}"))


def _valid_orders(delivery: Delivery) -> pd.DataFrame:
    """Return the valid orders with revenue and cost, computed from the files with pandas."""

    def read(entity: str, columns: int) -> pd.DataFrame:
        frames = []
        for path in delivery.part(entity).files:
            # Lines with too few columns or an unclosed quote are rejected.
            lines = [line for line in path.read_text().splitlines() if line.count('"') % 2 == 0]
            cells = pd.Series(lines[1:]).str.replace(
                r'"[^"]*"', lambda text: text[0].replace(",", ";"), regex=True
            )
            frame = cells.str.split(",", expand=True)
            frame.columns = lines[0].split(",")
            frames.append(frame[cells.str.count(",") == columns - 1])
        return pd.concat(frames, ignore_index=True)

    orders = read("orders", 7).drop_duplicates("order_id", keep="last")
    # Of two rows with an id the earlier one was dropped above; invalid rows have unique ids.
    customers, products = read("customers", 5), read("products", 4)
    quantity = pd.to_numeric(
        orders["quantity"].where(orders["quantity"].str.fullmatch(r"\d+")), errors="coerce"
    )
    price = pd.to_numeric(orders["unit_price"], errors="coerce")
    date = pd.to_datetime(orders["order_date"], format="%Y-%m-%d", errors="coerce")
    valid = (
        (orders[["order_id", "customer_id", "product_id"]] != "").all(axis=1)
        & orders["customer_id"].isin(customers["customer_id"])
        & orders["product_id"].isin(products["product_id"])
        & quantity.between(1, 1000)
        & price.between(0.01, 100_000)
        & (date <= pd.Timestamp.now())
        & orders["status"].isin(["placed", "shipped", "delivered", "returned", "cancelled"])
    )
    orders = orders[valid].merge(products, on="product_id")
    orders["quantity"] = orders["quantity"].astype(int)
    cents = [
        Decimal(price).scaleb(2) * quantity
        for price, quantity in zip(orders.unit_price, orders.quantity, strict=True)
    ]
    orders["revenue"] = [value.scaleb(-2).quantize(Decimal("0.01"), ROUND_HALF_UP) for value in cents]
    orders["cost"] = [
        Decimal(cost) * quantity for cost, quantity in zip(orders.unit_cost, orders.quantity, strict=True)
    ]
    orders["category"] = orders["category"].str.replace('"', "").str.replace(";", ",")
    orders["order_month"] = orders["order_date"].str[:7] + "-01"
    # The last state on or before the day of the order, or else the first state.
    customers["day"] = customers["updated_at"].str[:10]
    states = customers[customers["email"].str.contains(r"^[^@]+@[^@]+$")].sort_values(
        "updated_at", kind="stable"
    )
    last = states.drop_duplicates(["customer_id", "day"], keep="last")
    merged = pd.merge_asof(
        orders.assign(at=pd.to_datetime(orders["order_date"])).sort_values("at"),
        last.assign(at=pd.to_datetime(last["day"])).sort_values("at")[["customer_id", "at", "region"]],
        on="at",
        by="customer_id",
    )
    first = last.drop_duplicates("customer_id", keep="first").set_index("customer_id")["region"]
    merged["region"] = merged["region"].fillna(merged["customer_id"].map(first))
    return merged


CUSTOMERS = "customer_id,name,email,region,updated_at"
PRODUCTS = "product_id,product_name,category,unit_cost"
ORDER = "order_id,customer_id,product_id,quantity,unit_price,order_date,status"


@pytest.fixture(scope="module")
def small_shop(tmp_path_factory: pytest.TempPathFactory, project: Parsed) -> Shop:
    """Build a shop with a few orders once."""
    shop = Shop(tmp_path_factory.mktemp("shop"), project)
    shop.deliver("customers_1.csv", CUSTOMERS, "C1,Ann,ann@x.org,North,2024-01-01 08:00:00")
    shop.deliver("products_1.csv", PRODUCTS, "P1,Cup,Home,2.50")
    shop.deliver(
        "orders_1.csv",
        ORDER,
        "O1,C1,P1,1,10.00,2024-03-01,placed",
        "O2,C1,P1,2,10.00,2024-05-01,placed",
        "O3,C2,P1,3,10.00,2024-03-02,placed",
        "O4,C1,P1,nine,10.00,2024-03-02,placed",
        "O5,C1,P1,5,10.00,2024-04-02,placed",
    )
    shop.build()
    return shop


@pytest.fixture
def shop(small_shop: Shop, tmp_path: Path) -> Shop:
    """A copy of the small shop, to which a test delivers more."""
    return small_shop.copied_to(tmp_path / "data")


def test_order_leaves_quarantine_when_its_customer_arrives(shop: Shop) -> None:
    before = shop.statuses("orders")
    assert before["O3"] == "quarantined customer_exists"
    shop.deliver("customers_2.csv", CUSTOMERS, "C2,Bob,bob@x.org,South,2024-06-01 08:00:00")
    shop.build()
    assert shop.statuses("orders") == before | {"O3": "valid"}
    assert shop.query("select revenue from marts.fct_orders where order_id = 'O3'") == [(Decimal("30.00"),)]


REGIONS = """
    select order_id, region from marts.fct_orders join marts.dim_customers using (customer_key)
    where customer_id = 'C1' order by order_id
"""


def test_old_orders_keep_the_region_of_their_day(shop: Shop) -> None:
    # Customer files are a log: one with the name of an earlier file does not replace its rows.
    old = (CUSTOMERS, "C1,Ann,ann@x.org,North,2024-01-01 08:00:00")
    shop.deliver("customers_1.csv", CUSTOMERS, "C1,Ann,ann@x.org,West,2024-04-02 23:00:00")
    shop.deliver("products_1.csv", PRODUCTS, "P1,Cup,Home,9.00")
    shop.build()
    assert shop.query(REGIONS) == [("O1", "North"), ("O2", "West"), ("O5", "West")]
    versions = "select region, valid_from::text, valid_to::text, is_current from marts.dim_customers"
    expected = [("North", "2000-01-01", "2024-04-02", False), ("West", "2024-04-02", None, True)]
    assert shop.query(f"{versions} where customer_id = 'C1' order by valid_from") == expected

    # An old content that comes again is the newest state, but for customers the time of their last change decides.
    shop.deliver("customers_1.csv", *old)
    shop.deliver("products_1.csv", PRODUCTS, "P1,Cup,Home,2.50")
    shop.build()
    assert shop.query(f"{versions} where customer_id = 'C1' order by valid_from") == expected
    costs = "select unit_cost from marts.dim_products where product_id = 'P1' and is_current"
    assert shop.query(costs) == [(Decimal("2.50"),)]
    # The same bytes under another name are a known content.
    contents = shop.contents()
    shop.deliver("customers_9.csv", *old)
    shop.build("--write-json")
    assert differing(shop.contents(), contents) == []
    shop.assert_equal_to_full_refresh()


BY_MONTH = ("fct_orders", "agg_daily_order_revenue", "agg_daily_order_revenue_by_region")


def test_only_months_with_changed_orders_are_written(shop: Shop) -> None:
    def months_written_last() -> list[list[str]]:
        last = "select distinct order_month::text from marts.{0} where _built_at = (select max(_built_at) from marts.{0}) order by 1"
        return [[month for (month,) in shop.query(last.format(mart))] for mart in BY_MONTH]

    every = [
        month for (month,) in shop.query("select distinct order_month::text from marts.fct_orders order by 1")
    ]
    assert months_written_last() == [every] * 3
    for orders, months in (
        (["O6,C1,P1,1,9.00,2024-05-20,placed"], ["2024-05-01"]),
        # The file without its first order deletes that.
        (["O7,C1,P1,1,9.00,2024-06-20,placed"], ["2024-05-01", "2024-06-01"]),
    ):
        shop.deliver("orders_3.csv", ORDER, *orders)
        load_domain("ecommerce", shop.settings)
        # Customers and products are not built again.
        run_dbt(
            ["build", "--select", "+clean_ecommerce__orders", "curated_ecommerce__orders", *BY_MONTH],
            shop.settings,
        )
        assert months_written_last() == [months] * 3
    # The cost of a product changes the margin of its orders, in any month.
    shop.deliver("products_1.csv", PRODUCTS, "P1,Cup,Kitchen,9.00")
    shop.build("--write-json")
    assert shop.query("select distinct category from marts.agg_daily_order_revenue order by 1") == [
        ("Kitchen",)
    ]
    shop.assert_equal_to_full_refresh()


def test_keys_written_since_the_last_passed_test_are_checked(shop: Shop) -> None:
    def execute(sql: str) -> None:
        with duckdb.connect(str(shop.settings.warehouse)) as connection:
            connection.execute(sql)

    def test_keys(days: int = 7) -> str:
        select = ["test", "--select", "fct_orders,test_name:primary_key"]
        return run_dbt(select, shop.settings, variables={"SLUICE_KEY_TEST_DAYS": str(days)})

    repeat = "insert into marts.fct_orders select * replace ({} as _built_at) from marts.fct_orders where order_id = '{}'"
    execute(repeat.format("_built_at", "O1"))
    test_keys()
    with pytest.raises(DbtError, match="Got 1 result"):
        test_keys(days=0)
    execute(repeat.format("_built_at + interval 1 day", "O2"))
    for _ in range(2):
        with pytest.raises(DbtError, match="Got 1 result"):
            test_keys()
    execute("delete from marts.fct_orders where order_id = 'O2'")
    test_keys()
    execute("alter table marts.fct_orders alter order_id drop not null")
    execute(repeat.format("_built_at + interval 1 day", "O5"))
    execute(
        "update marts.fct_orders set order_id = null where order_id = 'O5' and _built_at > current_timestamp"
    )
    with pytest.raises(DbtError, match="Got 1 result"):
        test_keys()
    execute("update dbt_state.key_tests set all_checked_at = all_checked_at - interval 8 day")
    with pytest.raises(DbtError, match="Got 2 results"):
        test_keys()


def test_redelivered_files_and_corrections_replace_invalid_rows(shop: Shop) -> None:
    ((row_id,),) = shop.query("select _row_id from clean.quarantine_ecommerce__orders where order_id = 'O4'")
    shop.deliver("customers_2.csv", CUSTOMERS, "C2,Bob,bob@x.org,South,2024-06-01 08:00:00")
    shop.deliver("orders_fix.csv", f"_row_id,{ORDER}", f"{row_id},O4,C1,P1,9,10.00,2024-03-02,placed")
    shop.deliver(
        "orders_2.csv", ORDER, "O2,C1,P1,2,11.00,2024-05-01,shipped", "O7,C1,P1,0,1.00,2024-05-01,placed"
    )
    shop.build()
    assert shop.query("select count(*) from clean.quarantine_ecommerce__orders") == [(1,)]
    assert shop.query("select order_id, revenue from marts.fct_orders order by order_id") == [
        ("O1", Decimal("10.00")),
        ("O2", Decimal("22.00")),
        ("O3", Decimal("30.00")),
        ("O4", Decimal("90.00")),
        ("O5", Decimal("50.00")),
    ]
    shop.deliver("orders_2.csv", ORDER, "O7,C1,P1,7,1.00,2024-07-01,placed")
    shop.deliver("customers_2.csv", CUSTOMERS, "C3,no mail,nowhere,South,2024-06-01 08:00:00", "C4,cut")
    shop.build()
    report = quarantine("ecommerce", shop.settings)
    assert (report.rows, report.rejected_lines) == (1, 1)
    # O2 is no longer in orders_2.csv, so the row of the first file is valid again.
    assert shop.query(
        "select order_id, revenue from marts.fct_orders where order_month >= '2024-05-01' order by all"
    ) == [
        ("O2", Decimal("20.00")),
        ("O7", Decimal("7.00")),
    ]
    shop.deliver("customers_2.csv", CUSTOMERS, "C3,Cy,cy@x.org,South,2024-06-01 08:00:00", "C4,Di,di@x.org,,")
    shop.build("--write-json")
    report = quarantine("ecommerce", shop.settings)
    assert (report.rows, report.rejected_lines) == (0, 0)
    shop.assert_equal_to_full_refresh()


def test_invalid_correction_stays_in_quarantine_when_its_file_is_delivered_again(shop: Shop) -> None:
    shop.deliver(
        "orders_3.csv", ORDER, "O8,C1,P1,none,1.00,2024-05-01,placed", "O9,C1,P1,none,1.00,2024-05-01,placed"
    )
    shop.deliver(
        "customers_4.csv",
        CUSTOMERS,
        *(f"{one},Guy,nowhere,South,2024-06-01 08:00:00" for one in ("C8", "C9")),
    )
    shop.build()
    queries = {
        one: f"select {one}_id, _row_id from clean.quarantine_ecommerce__{one}s where {one}_id in ('{first}8', '{first}9')"
        for one, first in {"order": "O", "customer": "C"}.items()
    }
    orders, customers = (dict(shop.query(rows)) for rows in queries.values())
    assert (orders.keys(), customers.keys()) == ({"O8", "O9"}, {"C8", "C9"})

    def correct(number: int, quantity: str, mail: str) -> None:
        """Correct an order in a file for any entity, and a customer in a file of customers."""
        order, customer = f"O{number}", f"C{number}"
        line = f"orders,{orders[order]},{order},C1,P1,{quantity},1.00,2024-05-01,placed"
        shop.deliver("corrections.csv", f"_entity,_row_id,{ORDER}", line)
        line = f"{customers[customer]},{customer},Guy,{mail},South,2024-06-01 08:00:00"
        shop.deliver("customers_fix.csv", f"_row_id,{CUSTOMERS}", line)
        shop.build()

    correct(8, "many", "still nowhere")
    correct(9, "9", "guy@x.org")
    orders, customers = (dict(shop.query(rows)) for rows in queries.values())
    assert (orders.keys(), customers.keys()) == ({"O8"}, {"C8"})
    correct(8, "8", "guy@x.org")
    assert [shop.query(rows) for rows in queries.values()] == [[], []]
    assert shop.query("select sum(quantity) from marts.fct_orders where order_id in ('O8', 'O9')") == [(17,)]


def test_examples_of_customers_show_only_listed_columns(shop: Shop) -> None:
    shop.deliver(
        "customers_3.csv",
        f"{CUSTOMERS},phone",
        "C5,Eve,nowhere,South,2024-06-01 08:00:00,555-0100",
        "C6,Flo,flo@x.org,South,1970-01-01 00:00:00,555-0101",
    )
    shop.build()
    shown = shop.query(
        "select rule, examples from marts.audit_ecommerce__failed_rules where entity = 'customers' order by all"
    )
    assert [rule for rule, _ in shown] == ["email_is_valid", "updated_at_is_in_the_calendar"]
    assert ["C5" in shown[0][1], "C6" in shown[1][1]] == [True, True]
    for _, examples in shown:
        assert not {word for word in ("phone", "555", "Eve", "Flo", "nowhere", "flo@") if word in examples}


def test_changed_rule_validates_all_rows_again(shop: Shop) -> None:
    # The customer's first state is before the new calendar too; this one is not.
    shop.deliver("customers_2.csv", CUSTOMERS, "C1,Ann,ann@x.org,North,2024-05-01 08:00:00")
    shop.build()
    before = shop.statuses("orders")
    shop.build("--vars", "{calendar_from: '2024-04-01'}")
    after = shop.statuses("orders")
    assert after["O1"] == "quarantined order_date_is_in_the_calendar"
    assert after["O2"] == before["O2"] == "valid"


def test_every_row_is_accounted_for_under_each_schema_contract(
    tmp_path: Path, project: Parsed, monkeypatch: pytest.MonkeyPatch
) -> None:
    contracts: dict[str, SchemaContract] = {
        "orders": "discard_row",
        "customers": "discard_value",
        "products": "freeze",
    }
    declared = [replace(each, schema_contract=contracts[each.entity]) for each in ecommerce.RESOURCES]
    monkeypatch.setattr(ecommerce, "RESOURCES", tuple(declared))
    shop = Shop(tmp_path / "data", project)
    header = "order_id,customer_id,product_id,quantity,unit_price,order_date,status"
    order = "C1,P1,1,9.50,2024-05-01,shipped"
    shop.deliver("orders.csv", f"{header},gift", f"O1,{order},", f"O2,{order},yes", f"O3,{order},")
    shop.deliver(
        "customers.csv",
        "customer_id,name,email,region,updated_at,vip",
        "C1,Ann,ann@example.com,north,2024-01-01,yes",
    )
    shop.deliver("products_1.csv", "product_id,product_name,category,unit_cost", "P1,Pen,office,1.00")
    shop.deliver(
        "products_2.csv", "product_id,product_name,category,unit_cost,weight", "P2,Ink,office,1.00,2"
    )
    with pytest.raises(
        FilesFailedError, match=r"products_2\.csv: it has columns that are not declared: weight"
    ):
        load_domain("ecommerce", shop.settings)
    # Its data tests are among it, so that each row is accounted for.
    shop.run_dbt()
    counts = "entity, rows_read, rows_clean, rows_rejected, rejected_lines_counted"
    assert shop.query(f"select {counts} from marts.audit_ecommerce__row_counts order by 1") == [
        ("customers", 1, 1, 0, 0),
        ("orders", 3, 2, 1, 1),
        ("products", 1, 1, 0, 0),
    ]
    export = tmp_path / "quarantine.csv"
    found = quarantine("ecommerce", shop.settings, export=export)
    assert [(each.entity, each.reason, each.count) for each in found.by_reason] == [
        ("orders", "columns that are not declared have values: gift", 1)
    ]
    row_id = pd.read_csv(export, dtype=str)["_row_id"][0]
    shop.deliver("corrections_1.csv", f"_entity,_row_id,{header}", f"orders,{row_id},O2,{order}")
    with pytest.raises(FilesFailedError, match="products_2"):
        load_domain("ecommerce", shop.settings)
    assert quarantine("ecommerce", shop.settings).by_reason == ()
