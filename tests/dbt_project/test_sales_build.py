"""Sales: counts and totals against an independent computation, and builds after later deliveries."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from quality.quarantine import quarantine
from samples.apis.server import SampleApis, serving
from samples.apis.variables import variables
from samples.delivery import Delivery
from samples.sales import EXPECTED, write_sales
from tests.dbt_project.built import Built
from tests.parsed import Parsed

pytestmark = pytest.mark.slow

HEADER = "date,store,product_id,quantity,price"
PRODUCTS = 200


class Shop(Built):
    """A shop with stores, and with the catalogue at a URL if there is one."""

    def __init__(self, data_dir: Path, project: Parsed, url: str | None = None) -> None:
        super().__init__("sales", data_dir, project)
        self._variables = variables(url) if url else {}
        self.settings = self.settings.model_copy(update={"file_stable_seconds": 0.0})

    def build(self, *options: str) -> None:
        """Load new files and records, with no other catalogue than this shop's, and build them."""
        with pytest.MonkeyPatch.context() as environment:
            environment.delenv("SLUICE_PRODUCTS_API_URL", raising=False)
            for name, value in self._variables.items():
                environment.setenv(name, value)
            super().build(*options)


@pytest.fixture(scope="module", autouse=True)
def apis() -> Iterator[tuple[SampleApis, str]]:
    """Serve the sample catalogue; returns it and its URL."""
    apis = SampleApis(products=PRODUCTS)
    with serving(apis) as base, pytest.MonkeyPatch.context() as environment:
        environment.setenv("NO_PROXY", "*")
        environment.setenv("no_proxy", "*")
        yield apis, base


@pytest.fixture(scope="module")
def generated(
    tmp_path_factory: pytest.TempPathFactory, apis: tuple[SampleApis, str], project: Parsed
) -> tuple[Shop, Delivery, list[str]]:
    """Build a shop with generated sales, some with known defects, once; returns it, the delivery and the lines."""
    shop = Shop(tmp_path_factory.mktemp("generated"), project, apis[1])
    defects = {kind: 7 + n for n, kind in enumerate(EXPECTED)}
    # Some sold products are not in the catalogue.
    delivery = write_sales(
        shop.landing, rows=20_000, days=70, products=PRODUCTS + 20, seed=5, defects=defects
    )
    lines = [line for path in delivery.files for line in path.read_text().splitlines()[1:]]
    shop.build()
    return shop, delivery, lines


def valid_sales(lines: list[str]) -> list[tuple[str, str, int, int, Decimal]]:
    """Return the sales that fail no rule, computed without SQL."""
    found = []
    for line in lines:
        try:
            day, store, product, quantity, price = line.split(",")
            sale = (day, store, int(product), int(quantity), Decimal(price))
        except (ValueError, ArithmeticError):
            continue
        if "2024-01-01" <= day < "2025" and day != "2024-02-30" and store and '"' not in store:
            found += [sale] if 1 <= sale[3] <= 100_000 and Decimal("0.01") <= sale[4] <= 100_000 else []
    return found


def test_unit_tests_pass(generated: tuple[Shop, Delivery, list[str]]) -> None:
    generated[0].run_unit_tests()


def test_every_generated_row_has_the_expected_status(generated: tuple[Shop, Delivery, list[str]]) -> None:
    shop, delivery, _ = generated
    (part,) = delivery.parts
    statuses = dict(
        shop.query("select row_status, count(*) from clean.validated_sales__sales group by row_status")
    )
    assert statuses == {"valid": part.clean, "quarantined": part.quarantined}
    assert shop.by_rule("sales") == part.by_rule
    sums = ", ".join(f"sum(rows_{what})::int" for what in ("read", "clean", "quarantined", "rejected"))
    by_entity = shop.query(
        f"select entity, {sums} from marts.audit_sales__row_counts group by entity order by 1"
    )
    assert by_entity == [
        ("products", PRODUCTS, PRODUCTS, 0, 0),
        ("sales", part.lines, part.clean, part.quarantined, part.rejected),
    ]


def test_totals_equal_an_independent_computation_to_the_cent(
    generated: tuple[Shop, Delivery, list[str]],
) -> None:
    shop, delivery, lines = generated
    sales = valid_sales(lines)
    assert len(sales) == delivery.clean
    days: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for day, store, _, quantity, price in sales:
        days[day, store] += (quantity * price).quantize(Decimal("0.01"), ROUND_HALF_UP)
    found = shop.query("select sale_date::text, store_name, total_amount from marts.agg_sales_by_store_day")
    assert {(day, store): amount for day, store, amount in found} == days
    assert shop.query("select sum(total_amount), count(*) from marts.fct_store_sales") == [
        (sum(days.values()), len(sales))
    ]
    unknown = sum(1 for sale in sales if sale[2] > PRODUCTS)
    assert shop.query(
        "select count(*) from marts.fct_store_sales join marts.dim_catalogue_products as product "
        "using (product_key) where product.product_code = 'Unknown'"
    ) == [(unknown,)]


def test_products_have_their_code_and_price_category(
    generated: tuple[Shop, Delivery, list[str]], apis: tuple[SampleApis, str]
) -> None:
    shop, _, _ = generated
    expected = [
        (
            product["id"],
            f"{product['category'][:3].upper()}{product['id']:03}",
            "low" if product["price"] < 25 else "medium" if product["price"] < 35 else "high",
        )
        for product in sorted(apis[0].products.products, key=lambda product: product["id"])
    ]
    found = "select product_id, product_code, price_category from marts.dim_catalogue_products"
    assert shop.query(f"{found} where product_id is not null order by 1") == expected


def test_a_shop_without_an_api_and_then_without_files_is_built(tmp_path: Path, project: Parsed) -> None:
    shop = Shop(tmp_path, project)
    shop.build()
    assert shop.query("select count(*) from marts.audit_sales__row_counts") == [(0,)]
    shop.deliver("a.csv", HEADER, "2024-05-01,north,1,2,9.99")
    shop.build()
    joined = "select total_amount, product_code from marts.fct_store_sales join marts.dim_catalogue_products using (product_key)"
    assert shop.query(joined) == [(Decimal("19.98"), "Unknown")]


def test_later_builds_follow_the_files_and_the_catalogue(tmp_path: Path, project: Parsed) -> None:
    apis = SampleApis(products=3)
    with serving(apis) as url:
        shop = Shop(tmp_path, project, url)
        sale = "2024-05-01,north,2,2,0.335"
        shop.deliver("a.csv", HEADER, sale, sale, "2024-05-01,north,4,0,1.00")
        shop.build()
        facts = (
            "select sale.product_id, quantity, total_amount, product_code, price_category "
            "from marts.fct_store_sales as sale join marts.dim_catalogue_products using (product_key)"
        )
        # Equal lines are two sales.
        assert shop.query(facts) == [(2, 2, Decimal("0.67"), "CLO002", "low")] * 2
        apis.products.change(2, price=35, category="Home")
        apis.products.change(3, name=None)
        shop.deliver("a.csv", HEADER, sale, "2024-06-01,south,4,3,1.00")
        shop.build()
        assert shop.query(f"{facts} order by all") == [
            (2, 2, Decimal("0.67"), "HOM002", "high"),
            (4, 3, Decimal("3.00"), "Unknown", "Unknown"),
        ]
        # A product that the API does not correct stays in quarantine when other products are delivered again.
        apis.products.change(1, price=1)
        shop.deliver("b.csv", HEADER, "2024-06-02,south,1,1,1.00")
        shop.build("--write-json")
        assert shop.by_rule("products") == {"product_name_is_present": 1}
        assert quarantine("sales", shop.settings).rows == 1
        shop.assert_equal_to_full_refresh()
