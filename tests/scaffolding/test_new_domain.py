"""New domains in a checkout of their own: loaded, built, tested and published as they were written."""

import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from bench.measuring import copy_checkout
from settings import PROJECT_DIR
from tests.end_to_end.conftest import Checkout, loads
from tests.parsed import Parsed
from tests.scaffolding.helpers import (
    CUSTOMERS,
    ORDERS,
    ORPHANS,
    UNREADABLE,
    customers,
    orders,
    parsed_dags,
    write,
)

pytestmark = pytest.mark.slow

QUARANTINE = "select _source_row, _failed_rules from clean.quarantine_{} order by 1"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory, project: Parsed) -> Checkout:
    """A checkout with two new domains: the example of the documentation, and a shop with two kinds of files."""
    checkout = Checkout(copy_checkout(tmp_path_factory.mktemp("checkout")))
    project.put(checkout.settings)
    text = (PROJECT_DIR / "docs" / "new_domain.md").read_text()
    lines, commands = _blocks(text)
    (checkout.path / "readings.csv").write_text(lines)
    for command in commands.splitlines():
        sluice, *arguments = command.split()
        assert sluice == "sluice"
        succeed(checkout, *arguments)
    # All of its columns are texts.
    labels = write(checkout.path / "labels.csv", "label", "red", "green")
    files = customers(checkout.path), orders(checkout.path), labels
    made = loads(succeed(checkout, "new", "shop", *map(str, files), "--deliver", "--json"))
    assert {entity["entity"] for entity in made["entities"]} == {"customers", "orders", "labels"}
    succeed(checkout, "run", "shop")
    return checkout


def _blocks(text: str) -> tuple[str, str]:
    """Return the two blocks of code of a page, without their indentation."""
    found = re.findall(r"(?:^    .*\n)+", text, re.MULTILINE)
    lines, commands = (re.sub(r"^    ", "", block, flags=re.MULTILINE) for block in found)
    return lines, commands


def succeed(checkout: Checkout, *arguments: str) -> str:
    done = checkout.run(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_example_of_the_documentation_is_published(checkout: Checkout) -> None:
    published = checkout.settings.published("weather")
    assert checkout.query("select count(*) from marts.fct_readings", published) == [(10,)]
    months = "select * from marts.agg_readings_by_month"
    assert checkout.query(months, published) == [(date(2024, 5, 1), 10)]
    counts = (
        "select rows_read, rows_rejected, rows_quarantined, rows_clean from marts.audit_weather__row_counts"
    )
    assert checkout.query(counts, published) == [(12, 1, 1, 10)]
    assert checkout.query(QUARANTINE.format("weather__readings")) == [(6, "temperature_is_readable")]


def test_related_files_are_published_without_orphans(checkout: Checkout) -> None:
    published = checkout.settings.published("shop")
    assert checkout.query("select count(*) from marts.dim_shop_customers", published) == [(CUSTOMERS,)]
    assert checkout.query("select count(*) from marts.fct_shop_orders", published) == [(ORDERS - 3,)]
    pieces = sum(n % 5 + 1 for n in range(1, ORDERS + 1) if n not in (UNREADABLE, *ORPHANS))
    months = "select order_month, order_count, total_quantity from marts.agg_orders_by_month"
    assert checkout.query(months, published) == [(date(2024, 5, 1), ORDERS - 3, pieces)]
    joined = "select count(*) from marts.fct_shop_orders as o join marts.dim_shop_customers as c on o.customer_id = c.id"
    assert checkout.query(joined, published) == [(ORDERS - 3,)]
    expected = [(UNREADABLE, "quantity_is_readable"), *((row, "customer_exists") for row in ORPHANS)]
    assert checkout.query(QUARANTINE.format("shop__orders")) == expected


def test_the_missing_customer_frees_the_orphans(checkout: Checkout) -> None:
    header = "no,id,name,email,branch,VIP"
    landing = checkout.settings.landing("shop")
    (landing / "customers_2.csv").write_text(f"{header}\n99,C999,Late,late@example.com,099,no\n")
    succeed(checkout, "run", "shop")
    facts = "select count(*) from marts.fct_shop_orders"
    assert checkout.query(facts, checkout.settings.published("shop")) == [(ORDERS - 1,)]


def test_unit_tests_of_the_new_models_pass(checkout: Checkout) -> None:
    done = subprocess.run(
        [
            Path(sys.executable).with_name("dbt"),
            "test",
            "--select",
            "test_type:unit,tag:shop test_type:unit,tag:weather",
        ],
        cwd=checkout.path / "dbt_project",
        env=checkout.environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert len(re.findall(r"PASS stg_\w+::", done.stdout)) == 4


def test_airflow_parses_the_new_dags(checkout: Checkout) -> None:
    found = parsed_dags(checkout)
    assert found["errors"] == {}
    for domain, entities in (("shop", ("customers", "orders")), ("weather", ("readings",))):
        dag = found["dags"][domain]
        assert dag["schedule"] == "0 0 * * *"
        assert {f"ingest_{entity}" for entity in entities} <= dag["tasks"].keys()
        assert any(task.endswith(f"clean_{domain}__{entities[0]}") for task in dag["tasks"])


def test_a_removed_domain_leaves_no_table_and_no_file(checkout: Checkout) -> None:
    others = "select count(*) from marts.dim_shop_customers"
    before = checkout.query(others)
    succeed(checkout, "remove", "weather", "--data", "--yes")
    schemas = "select distinct table_schema from information_schema.tables where table_name like '%readings%'"
    assert checkout.query(schemas) == []
    assert not checkout.settings.published("weather").exists()
    assert not checkout.settings.landing("weather").exists()
    assert not (checkout.path / "dags" / "weather.py").exists()
    assert checkout.query(others) == before
