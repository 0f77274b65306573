"""The pages for any table, for SQL and for lineage, in a real browser."""

import io
from urllib.parse import quote

import pandas as pd
import pytest
from playwright.sync_api import Page

from cli.main import main
from dashboard.maps import CELLS_PER_SIDE
from dashboard.saved_queries import QUERIES, saved_queries, saved_query
from publishing.published_sql import run_query
from tests.dashboard.conftest import Dashboard, choose, settled

pytestmark = pytest.mark.slow

ALERT = "[data-testid=stAlert]"
GRAPH, NARROW = ".lineage", ".lineage-list"


def downloaded(page: Page, name: str, suffix: str = "csv") -> bytes:
    """What a download button of the page gives."""
    with page.expect_download() as download:
        page.locator(f".st-key-{suffix}_{name} button").click()
    assert download.value.suggested_filename == f"{name}.{suffix}"
    return download.value.path().read_bytes()


def test_any_published_table_can_be_looked_at(served: Dashboard, page: Page) -> None:
    served.open(page, "explore?table=ecommerce.fct_orders")
    expected = served.query("ecommerce", "select * from marts.fct_orders")
    page.get_by_role("heading", name=f"{len(expected):,} rows").wait_for()
    assert len(pd.read_csv(io.BytesIO(downloaded(page, "ecommerce_fct_orders")))) == 1000
    parquet = pd.read_parquet(io.BytesIO(downloaded(page, "ecommerce_fct_orders", "parquet")))
    assert list(parquet.columns) == list(expected.columns)


def test_a_download_does_not_run_the_page_again(served: Dashboard, page: Page) -> None:
    served.open(page, "explore?table=ecommerce.fct_orders")
    page.locator(".st-key-parquet_ecommerce_fct_orders button").wait_for()
    page.evaluate(
        "() => { window.states = []; const app = document.querySelector('[data-testid=stApp]');"
        " new MutationObserver(() => window.states.push(app.dataset.testScriptState))"
        ".observe(app, {attributes: true, attributeFilter: ['data-test-script-state']}); }"
    )
    downloaded(page, "ecommerce_fct_orders")
    page.wait_for_timeout(1000)
    assert page.evaluate("window.states") == []


def test_a_search_finds_columns_by_their_description(served: Dashboard, page: Page) -> None:
    served.open(page, "explore?search=" + quote("deepest cause of nothing"))
    assert "No table, column or description" in page.locator(ALERT).inner_text()
    served.open(page, "explore?search=tips")
    page.get_by_role("combobox", name="Table").first.click()
    found = page.get_by_role("option").all_inner_texts()
    assert "taxi.fct_trips" in found
    assert all(name.startswith("taxi.") for name in found)


def test_a_chart_is_made_of_a_dimension_and_a_measure(served: Dashboard, page: Page) -> None:
    served.open(page, "explore?table=collisions.fct_collisions")
    box = page.get_by_role("combobox", name="Chart by").first
    box.click()
    box.fill("severity")
    page.get_by_role("option", name="severity", exact=True).click()
    settled(page)
    page.locator("[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg").first.wait_for()
    assert page.locator("[data-testid=stException]").count() == 0


def test_a_metric_of_the_table_is_charted_as_it_is_defined(served: Dashboard, page: Page) -> None:
    table = "agg_daily_order_revenue_by_region"
    served.open(page, f"explore?table=ecommerce.{table}")
    choose(page, "Filter by", "region")
    choose(page, "region", "North")
    choose(page, "Measure", "Margin of revenue")
    page.get_by_text("Margin divided by revenue.").wait_for()
    choose(page, "Chart by", "category")
    page.locator("[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg").first.wait_for()
    assert page.locator("[data-testid=stException]").count() == 0


def test_a_table_with_coordinates_has_a_map_of_cells_from_no_other_server(
    served: Dashboard, page: Page
) -> None:
    served.open(page, "explore?table=collisions.agg_collisions_by_place")
    page.locator("[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg").first.wait_for()
    cells = pd.read_csv(io.BytesIO(downloaded(page, "agg_collisions_by_place_map")))
    rows = served.query("collisions", "select latitude, longitude from marts.agg_collisions_by_place")
    assert cells["rows"].sum() == len(rows)
    assert len(cells) <= CELLS_PER_SIDE**2
    # Coordinates are rounded to hundredths, so each cell has the rows of one place.
    assert sorted(cells["rows"]) == sorted(rows.value_counts())
    assert served.foreign == []


@pytest.mark.parametrize("name", saved_queries())
def test_a_saved_query_answers(served: Dashboard, name: str) -> None:
    with run_query(saved_query(name).sql, served.settings) as rows:
        assert rows.fetchone()


def test_a_saved_query_is_chosen_on_the_page_or_in_a_shell(
    served: Dashboard, page: Page, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    served.open(page, "query")
    choose(page, "Saved query", "Tips by payment type")
    page.get_by_text("cash tips are not recorded").first.wait_for()
    page.wait_for_url("**saved=*")
    shown = downloaded(page, "query").decode()
    # The address alone shows the same.
    page.reload()
    settled(page)
    assert downloaded(page, "query").decode() == shown
    monkeypatch.setenv("SLUICE_DATA_DIR", str(served.settings.data_dir))
    assert main(["sql", "--saved", "tips_by_payment_type", "--csv"]) == 0
    printed = pd.read_csv(io.StringIO(capsys.readouterr().out))
    pd.testing.assert_frame_equal(printed, pd.read_csv(io.StringIO(shown)))
    assert main(["sql", "--file", str(QUERIES / "slow_models.sql"), "--json"]) == 0
    assert main(["sql", "--saved", "tips", "--csv"]) == 2
    assert "no saved query is called 'tips'" in capsys.readouterr().err
    assert main(["sql", "select 1", "--saved", "slow_models"]) == 2


def test_a_query_joins_domains_and_its_rows_can_be_downloaded(served: Dashboard, page: Page) -> None:
    query = (
        "select 'shop' as domain, sum(rows_read)::int as rows_read from ecommerce.audit_ecommerce__row_counts"
        " union all select 'taxi', sum(rows_read)::int from taxi.audit_taxi__row_counts order by all"
    )
    served.open(page, f"query?query={quote(query)}")
    rows = pd.read_csv(io.BytesIO(downloaded(page, "query")))
    expected = [
        served.query(name, f"select sum(rows_read)::int from marts.audit_{name}__row_counts").iloc[0, 0]
        for name in ("ecommerce", "taxi")
    ]
    assert rows["rows_read"].tolist() == expected


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("drop table ecommerce.fct_orders", "read-only"),
        ("select * from read_text('/etc/passwd')", "published tables only"),
        ("select list(repeat('x', 10000000)) from range(1000)", "memory"),
    ],
)
def test_a_query_that_writes_reads_a_file_or_is_too_big_is_refused(
    served: Dashboard, page: Page, query: str, reason: str
) -> None:
    served.open(page, "query")
    page.get_by_role("textbox", name="Query").fill(query)
    page.get_by_role("button", name="Run").click()
    page.locator(ALERT).filter(has_text=reason).wait_for()
    assert served.query("ecommerce", "select count(*) > 0 from marts.fct_orders").iloc[0, 0]


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
