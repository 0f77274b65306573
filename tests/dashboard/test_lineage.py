"""The page Lineage in a real browser: search, both directions, wide and narrow."""

from urllib.parse import quote

import pytest
from playwright.sync_api import Page

from tests.dashboard.conftest import Dashboard, settled

pytestmark = pytest.mark.slow

GRAPH, NARROW = ".lineage", ".lineage-list"


def metric(page: Page, label: str) -> int:
    found = page.locator("[data-testid=stMetric]", has_text=label)
    return int(found.locator("[data-testid=stMetricValue]").inner_text())


def test_a_column_has_an_address_and_each_box_leads_to_another(served: Dashboard, page: Page) -> None:
    served.open(page, "lineage?name=marts.fct_orders.revenue")
    graph = page.locator(GRAPH)
    graph.get_by_text("fct_orders", exact=True).wait_for()
    text = graph.inner_text()
    for each in (
        "landing ecommerce",
        "unit_price",
        "line_total",
        "average_order_value",
        "E-commerce",
        "daily_order_revenue",
    ):
        assert each in text
    rows = served.query("ecommerce", "select count(*) as n from marts.fct_orders")["n"][0]
    assert f"marts · {rows:,} rows ✔" in text
    assert "Quantity times unit price" in graph.get_by_text("revenue", exact=True).first.get_attribute(
        "title"
    )
    graph.get_by_role("link", name="line_total").click()
    page.wait_for_url("**/lineage?name=curated.curated_ecommerce__orders.line_total*")
    settled(page)
    # Its definition.
    page.locator("[data-testid=stCode]", has_text="quantity").wait_for()
    assert served.foreign == []


def test_what_breaks_is_one_click(served: Dashboard, page: Page) -> None:
    served.open(page, f"lineage?name={quote('raw_ecommerce.orders.unit_price')}")
    page.get_by_text("What breaks if it changes").click()
    page.wait_for_url("**show=downstream*")
    settled(page)
    assert metric(page, "Published columns computed from it") > 10
    assert metric(page, "Published tables whose rows it decides") > 5
    assert metric(page, "Reports") == 2
    page.get_by_role("link", name="Report daily_order_revenue", exact=True).wait_for()
    assert "landing" not in page.locator(GRAPH).inner_text()


def test_a_report_is_followed_to_its_files(served: Dashboard, page: Page) -> None:
    served.open(page, "lineage?name=report_ecommerce_daily_order_revenue")
    page.locator(GRAPH).get_by_text("landing ecommerce").first.wait_for()
    assert "dim_products" in page.locator(GRAPH).inner_text()


def test_what_comes_from_columns_about_persons_says_so(served: Dashboard, page: Page) -> None:
    served.open(page, "lineage?name=marts.dim_customers.email_hash")
    page.get_by_text("About persons: raw_ecommerce.customers.email").wait_for()


def test_any_name_can_be_searched_and_an_unknown_one_is_said(served: Dashboard, page: Page) -> None:
    served.open(page, "lineage?name=marts.no_such_table")
    page.get_by_text("No table or column is called marts.no_such_table").wait_for()
    box = page.get_by_role("combobox").first
    box.click()
    box.fill("raw_taxi.trips.tip")
    page.get_by_role("option", name="raw_taxi.trips.tip_amount", exact=True).click()
    settled(page)
    page.wait_for_url("**name=raw_taxi.trips.tip_amount*")
    page.locator(GRAPH).get_by_text("fct_trips").wait_for()


def test_a_chart_leads_to_where_it_comes_from(served: Dashboard, page: Page) -> None:
    served.open(page, "taxi")
    page.locator("a[href*='lineage?name=marts.agg_trips_by_day']").first.click()
    page.wait_for_url("**/lineage?name=marts.agg_trips_by*")
    page.locator(GRAPH).get_by_text("landing taxi").first.wait_for()


@pytest.mark.parametrize(("width", "shown", "hidden"), [(420, NARROW, GRAPH), (1400, GRAPH, NARROW)])
def test_a_narrow_screen_has_boxes_one_below_the_other(
    served: Dashboard, page: Page, width: int, shown: str, hidden: str
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    served.open(page, "lineage?name=marts.fct_orders.revenue")
    page.locator(shown).wait_for(state="visible")
    assert not page.locator(hidden).is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
