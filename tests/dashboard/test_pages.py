"""The dashboard in a real browser: what its pages show, with data and without."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from playwright.sync_api import Browser, Page

from cli.main import main
from publishing.metrics import Question, values
from settings import DBT_PROJECT_DIR
from tests.dashboard.conftest import DOMAINS, Dashboard, choose, settled
from tests.forks import run_dbt

pytestmark = pytest.mark.slow

# Heading and number of charts of each page that has data here.
PAGES = {
    "overview": ("Overview", 1),
    "quality": ("Data quality", 2),
    "runs": ("Runs", 4),
    "collisions": ("Collisions in New York", 3),
    "ecommerce": ("Sales of the shop", 5),
    "sales": ("Sales of the stores", 2),
    "taxi": ("Yellow taxis of New York", 3),
}
CHART = "[data-testid=stVegaLiteChart]"
WRONG = "[data-testid=stException], [data-testid=stAlertContentError]"


def number(page: Page, label: str) -> str:
    """The number under a label."""
    metric = page.locator("[data-testid=stMetric]", has_text=label).first
    return metric.locator("[data-testid=stMetricValue]").inner_text().strip()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_its_charts_and_contacts_no_other_server(
    served: Dashboard, page: Page, name: str
) -> None:
    heading, charts = PAGES[name]
    served.open(page, name)
    assert page.locator("h1").inner_text() == heading
    page.locator(f"{CHART} canvas, {CHART} svg").nth(charts - 1).wait_for()
    assert page.locator(CHART).count() == charts
    assert page.locator(WRONG).count() == 0
    assert page.get_by_text("Page not found").count() == 0
    # On a busy machine they follow the last chart a moment later.
    page.get_by_text("Data as CSV").nth(charts - 1).wait_for()
    page.get_by_text("Where does this come from?").nth(charts - 1).wait_for()
    assert served.foreign == []


@pytest.mark.parametrize("name", [*PAGES, "news", "explore", "lineage", "query"])
def test_a_page_without_data_shows_a_message(empty: Dashboard, page: Page, name: str) -> None:
    empty.open(page, name)
    assert page.locator("h1").count() == 1
    assert page.locator("[data-testid=stAlert]").first.inner_text().strip().startswith(("Nothing", "No run"))
    assert page.locator(WRONG).count() == 0
    assert page.locator(CHART).count() == 0
    assert not empty.settings.data_dir.joinpath("published").exists()


def test_every_page_is_in_the_menu(empty: Dashboard, page: Page) -> None:
    empty.open(page, "overview")
    links = page.locator("[data-testid=stSidebarNavLink]")
    shown = [link.get_attribute("href").rpartition("/")[2] for link in links.all()]
    domains = sorted({*PAGES, "news"} - {"overview", "quality", "runs"})
    assert shown[:6] == ["overview", "quality", "runs", "explore", "lineage", "query"]
    assert sorted(shown[6:]) == domains


def test_the_site_starts_with_the_overview(empty: Dashboard, page: Page) -> None:
    empty.open(page, "")
    assert page.locator("h1").inner_text() == "Overview"
    assert page.url == f"{empty.url}/overview"


def test_the_overview_has_a_card_per_domain(served: Dashboard, page: Page) -> None:
    served.open(page, "overview")
    for domain in DOMAINS:
        (clean, quarantined), *_ = served.query(
            domain, f"select sum(rows_clean), sum(rows_quarantined) from marts.audit_{domain}__row_counts"
        ).itertuples(index=False)
        cards = page.locator(
            "[data-testid=stVerticalBlock]",
            has=page.get_by_role("heading", name=domain.capitalize(), exact=True),
        )
        card = cards.last.inner_text()
        assert f"{clean:,.0f}" in card
        assert f"{quarantined:,.0f}" in card
        assert "✔ success" in card
        assert "100%" in card


def test_a_filter_changes_the_numbers(served: Dashboard, page: Page) -> None:
    total = "select sum(collisions)::int as n from marts.agg_collisions_by_month_borough"
    every = served.query("collisions", total)["n"][0]
    bronx = served.query("collisions", f"{total} where borough = 'BRONX'")["n"][0]
    served.open(page, "collisions")
    assert number(page, "Collisions") == f"{every:,}"
    choose(page, "Boroughs", "BRONX")
    page.wait_for_function(f"document.body.innerText.includes('{bronx:,}')")
    assert number(page, "Collisions") == f"{bronx:,}"
    assert 0 < bronx < every


def test_a_choice_is_in_the_address_and_an_address_has_its_choices(served: Dashboard, page: Page) -> None:
    served.open(page, "collisions")
    choose(page, "Boroughs", "BRONX")
    page.wait_for_url("**/collisions?boroughs=BRONX")
    settled(page)
    bronx = number(page, "Collisions")
    served.open(page, "overview")
    served.open(page, "collisions?boroughs=BRONX")
    assert number(page, "Collisions") == bronx
    # Another page has choices of its own.
    page.get_by_role("link", name="Taxi").click()
    page.wait_for_url("**/taxi")


def test_a_card_leads_to_the_pages_of_its_domain(served: Dashboard, page: Page) -> None:
    for address, heading in {
        "sales": "Sales of the stores",
        "runs?pipeline=taxi": "Runs",
        "quality?domain=ecommerce": "Data quality",
    }.items():
        served.open(page, "overview")
        page.locator(f"[data-testid=stMain] a[href='{address}']").first.click()
        page.get_by_role("heading", name=heading, exact=True).wait_for()
        settled(page)
    query = "select sum(rows_quarantined) as n from marts.audit_ecommerce__row_counts"
    assert number(page, "Quarantined") == f"{served.query('ecommerce', query)['n'][0]:,.0f}"


def test_days_that_are_almost_empty_are_left_out_until_they_are_chosen(served: Dashboard, page: Page) -> None:
    published = served.settings.published("taxi")
    days = served.query("taxi", "select pickup_date, trips from marts.agg_trips_by_day")
    usual = days["trips"][days["trips"] >= days["trips"].median() * 0.02].sum()
    kept, new = published.with_name("kept"), published.with_name(".new")
    shutil.copy(published, kept)
    shutil.copy(published, new)
    new.chmod(0o644)
    try:
        with duckdb.connect(str(new)) as connection:
            # A taxi whose clock is wrong by years.
            connection.execute(
                "insert into marts.agg_trips_by_day_hour by name select * replace (date '2002-01-01' as pickup_date,"
                " date '2002-01-01' as pickup_month, 1 as trips) from marts.agg_trips_by_day_hour limit 1"
            )
        new.replace(published)
        served.open(page, "taxi")
        assert number(page, "Trips") == f"{usual:,}"
        served.open(page, f"taxi?dates=2002-01-01&dates={days['pickup_date'].max():%Y-%m-%d}")
        page.wait_for_function(f"document.body.innerText.includes('{days['trips'].sum() + 1:,}')")
    finally:
        kept.replace(published)


def test_a_dark_browser_gets_dark_pages(served: Dashboard, browser: Browser) -> None:
    page = browser.new_page(color_scheme="dark")
    served.open(page, "query")
    color = page.evaluate("getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor")
    assert all(int(part) < 64 for part in re.findall(r"\d+", color)[:3])
    page.close()


@pytest.mark.parametrize(
    ("name", "file", "domain", "query"),
    [
        (
            "ecommerce",
            "sales_by_category",
            "ecommerce",
            "select category, sum(orders)::bigint as orders, sum(revenue) as revenue, sum(margin) as margin "
            "from marts.agg_daily_order_revenue group by all order by revenue desc",
        ),
        (
            "taxi?dates=2024-01-05&dates=2024-02-10",
            "trips_by_day",
            "taxi",
            "select pickup_date as day, trips::bigint as trips, revenue as trip_revenue from marts.agg_trips_by_day "
            "where pickup_date between '2024-01-05' and '2024-02-10' order by day",
        ),
        (
            "sales",
            "sales_by_store",
            "sales",
            "select store_name, sum(sales_lines)::bigint as sales_lines, sum(quantity)::bigint as pieces_sold, "
            "sum(total_amount) as sales_amount from marts.agg_sales_by_store_day group by all order by sales_amount desc",
        ),
        (
            "quality",
            "collisions_rows_by_file",
            "collisions",
            "select entity, source_file, rows_read, rows_clean, rows_quarantined, rows_superseded, rows_rejected, "
            "loaded_at from marts.audit_collisions__row_counts order by rows_quarantined desc",
        ),
    ],
)
def test_a_download_has_the_published_rows(
    served: Dashboard, page: Page, name: str, file: str, domain: str, query: str
) -> None:
    served.open(page, name)
    button = page.locator(f".st-key-csv_{file} button")
    with page.expect_download() as download:
        button.click()
    assert download.value.suggested_filename == f"{file}.csv"
    text = download.value.path().read_text()
    expected = served.query(domain, query).to_csv(index=False)
    pd.testing.assert_frame_equal(pd.read_csv(io.StringIO(text)), pd.read_csv(io.StringIO(expected)))


# By facts, of which the metrics' own marts are aggregates.
FACTS = {
    ("collisions", "fatal_share", "injury_collisions", "property_damage_collisions"): (
        "collisions",
        "select count(*), avg((severity = 'fatal')::int), sum((severity = 'injury')::int), "
        "sum((severity = 'property_damage')::int) from marts.fct_collisions",
    ),
    ("persons_injured", "persons_killed"): (
        "collisions",
        "select sum(persons_injured), sum(persons_killed) from marts.fct_collisions",
    ),
    ("orders", "revenue", "margin", "margin_share", "average_order_value"): (
        "ecommerce",
        "select count(*), sum(revenue), sum(margin), sum(margin) / sum(revenue), avg(revenue) from marts.fct_orders",
    ),
    ("selling_stores", "sales_lines", "pieces_sold", "sales_amount"): (
        "sales",
        "select count(distinct store_key), count(*), sum(quantity), sum(total_amount) from marts.fct_store_sales",
    ),
    ("trips", "refunds", "trip_revenue", "days_with_trips", "trips_per_day", "revenue_per_trip"): (
        "taxi",
        "select sum(n), count(*) - sum(n), sum(total_amount), count(distinct pickup_at::date), "
        "sum(n) / count(distinct pickup_at::date), sum(total_amount) / sum(n) "
        "from (select *, (not is_refund)::int as n from marts.fct_trips)",
    ),
    ("zone_trips", "zone_revenue"): (
        "taxi",
        "select sum((not is_refund)::int), sum(total_amount) from marts.fct_trips",
    ),
}


@pytest.mark.parametrize("names", FACTS)
def test_a_metric_is_what_the_facts_add_up_to(served: Dashboard, names: tuple[str, ...]) -> None:
    domain, query = FACTS[names]
    (row,) = values(Question(names), served.settings).to_pylist()
    found = [float(value) for value in row.values()]
    assert found == pytest.approx([float(value) for value in served.query(domain, query).iloc[0]])


def test_the_shell_has_the_same_metrics(
    served: Dashboard, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLUICE_DATA_DIR", str(served.settings.data_dir))
    wanted = ["metric", "revenue", "--by", "region", "--grain", "year", "--where", "category=Books", "--csv"]
    assert main([*wanted, "--since", "2024-01-01"]) == 0
    query = (
        "select date_trunc('year', order_date)::date as year, region, sum(revenue) as revenue "
        "from marts.agg_daily_order_revenue_by_region where category = 'Books' and order_date >= '2024-01-01' "
        "group by all order by all"
    )
    expected = served.query("ecommerce", query).to_csv(index=False)
    pd.testing.assert_frame_equal(
        pd.read_csv(io.StringIO(capsys.readouterr().out)), pd.read_csv(io.StringIO(expected))
    )
    assert main(["metrics", "taxi"]) == 0
    assert "taxi  trips  by day, pickup_hour" in capsys.readouterr().out
    assert main(["metric", "revenue", "--by", "colour"]) == 2
    assert "cannot be split by 'colour'. There are: category, region." in capsys.readouterr().err


def test_metricflows_own_command_has_the_same_metrics_from_the_warehouse(
    served: Dashboard, tmp_path: Path
) -> None:
    run_dbt(["parse"], served.settings)
    # As in the folder of the dbt project after `dbt parse` there, without a change of that folder.
    project = tmp_path / "dbt_project"
    project.mkdir()
    for path in DBT_PROJECT_DIR.iterdir():
        if path.name not in ("target", "logs"):
            (project / path.name).symlink_to(path)
    (project / "target").symlink_to(served.settings.dbt_target)
    names, rows = ("revenue", "margin_share"), tmp_path / "rows.csv"
    done = subprocess.run(
        [Path(sys.executable).with_name("mf"), "query", "--metrics", ",".join(names), "--csv", rows,
         "--group-by", "order_day__category", "--order", "order_day__category"],
        cwd=project,
        # It asks PyPI for a newer version of itself, here in vain.
        env={**os.environ, **served.settings.environment(), "HTTPS_PROXY": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    expected = values(Question(names, ("category",)), served.settings).to_pandas()
    found = pd.read_csv(rows)
    assert list(found["order_day__category"]) == list(expected["category"])
    for name in names:
        assert list(found[name]) == pytest.approx([float(value) for value in expected[name]])


def test_the_history_of_a_customer(served: Dashboard, page: Page) -> None:
    query = "select customer_id, orders from marts.agg_customer_summary order by revenue desc limit 1"
    customer, orders = served.query("ecommerce", query).iloc[0]
    served.open(page, "ecommerce")
    page.get_by_role("tab", name="Customers").click()
    box = page.get_by_label("Customer", exact=True)
    box.fill(customer)
    box.press("Enter")
    page.get_by_role("heading", name=f"History of customer {customer}").wait_for()
    shown = page.get_by_role("tabpanel", name="Customers").locator("[data-testid=stMetricValue]")
    assert shown.first.inner_text() == f"{orders:,}"
    box.fill("nobody'; drop table marts.fct_orders; --")
    box.press("Enter")
    page.get_by_text("Customer nobody'").wait_for()


def test_a_new_version_is_shown_on_the_next_click_and_nothing_is_locked(
    served: Dashboard, page: Page
) -> None:
    published = served.settings.published("collisions")
    served.open(page, "collisions")
    before = number(page, "Collisions")
    kept = published.with_name("kept")
    shutil.copy(published, kept)
    new = published.with_name(".new")
    shutil.copy(published, new)
    try:
        with duckdb.connect(str(new)) as connection:
            connection.execute("delete from marts.agg_collisions_by_month_borough where borough <> 'QUEENS'")
        new.replace(published)
        choose(page, "Severity", "fatal")
        queens = served.query(
            "collisions", "select sum(fatal_collisions)::int as n from marts.agg_collisions_by_month_borough"
        )["n"][0]
        page.wait_for_function(f"!document.body.innerText.includes('{before}')")
        assert number(page, "Collisions") == f"{queens:,}"
        # No process holds the file: it opens for writing.
        duckdb.connect(str(published)).close()
    finally:
        kept.replace(published)


def test_a_missing_mart_is_reported_in_a_message(served: Dashboard, page: Page) -> None:
    published = served.settings.published("collisions")
    kept = published.with_name("kept")
    shutil.copy(published, kept)
    try:
        with duckdb.connect(str(published)) as connection:
            connection.execute("drop table marts.agg_collisions_by_place")
        served.open(page, "collisions")
        page.get_by_text("The published version of collisions is too old").wait_for()
        assert page.locator(WRONG).count() == 0
    finally:
        kept.replace(published)


def test_examples_of_quarantined_rows_have_no_personal_columns(served: Dashboard) -> None:
    examples = served.query("ecommerce", "select entity, examples from marts.audit_ecommerce__failed_rules")
    customers = examples[examples["entity"] == "customers"]["examples"].str.cat()
    assert "customer_id" in customers
    assert '"email"' not in customers
    assert '"name"' not in customers
    assert "@" not in customers


def test_examples_are_shown_in_the_columns_in_which_they_were_delivered(
    served: Dashboard, page: Page
) -> None:
    rule, entity, rows, file, examples = served.query(
        "ecommerce",
        "select rule, entity, rows_quarantined, source_file, examples from marts.audit_ecommerce__failed_rules "
        "where entity = 'products' and rule = 'category_is_present'",
    ).iloc[0]
    served.open(page, "quality")
    choose(page, "Domain", "ecommerce")
    choose(page, "Examples of", f"{rule} ({entity}), {rows} rows of {file}")
    with page.expect_download() as download:
        page.locator(".st-key-csv_ecommerce_examples button").click()
    shown = pd.read_csv(download.value.path())
    assert list(shown.columns) == ["row of the file", "product_id", "product_name", "category", "unit_cost"]
    assert list(shown["product_id"]) == [row["product_id"] for row in json.loads(examples)]
    assert shown["category"].isna().all()


def test_a_rule_and_file_have_at_most_three_examples(served: Dashboard) -> None:
    for domain in DOMAINS:
        found = served.query(
            domain,
            "select rows_quarantined as n, json_array_length(examples) as shown, examples, rule "
            f"from marts.audit_{domain}__failed_rules",
        )
        assert len(found)
        assert (found["shown"] == found["n"].clip(upper=3)).all()
        assert all(rule in examples for rule, examples in zip(found["rule"], found["examples"], strict=True))


def test_a_page_of_somebody_else_cannot_have_a_browser_ask_it(served: Dashboard) -> None:
    """Under a name that leads to loopback for a moment (DNS rebinding)."""

    def status(host: str) -> int:
        connection = HTTPConnection(served.url.removeprefix("http://"), timeout=30)
        opening = {
            "Host": host,
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        }
        connection.request("GET", "/_stcore/stream", headers=opening)
        try:
            return connection.getresponse().status
        finally:
            connection.close()

    assert status("attacker.example") == 403
    assert status("127.0.0.1") == status("localhost") == 101
