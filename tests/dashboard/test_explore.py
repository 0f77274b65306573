"""The pages for any table and for SQL, in a real browser."""

import io
from urllib.parse import quote

import pandas as pd
import pytest
from playwright.sync_api import Page

from tests.dashboard.conftest import Dashboard, settled

pytestmark = pytest.mark.slow

ALERT = "[data-testid=stAlert]"


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
