"""Which published columns come from columns about persons, and which tables have rows that these decide.

The lists are checked: what is not in them is published about persons and nobody has looked at it. Add it with the reason
why it may be published, or change the model. An entry that nothing needs fails as well.
"""

from collections.abc import Iterable

import pytest

from lineage.graph import RAW, Lineage
from tests.parsed import Parsed

ID_OF_ORDER = "raw_ecommerce.orders.customer_id"
ID = "raw_ecommerce.customers.customer_id"
EMAIL = "raw_ecommerce.customers.email"
NAME = "raw_ecommerce.customers.name"
REJECTED = "raw_ecommerce.rejected_lines.line"
AUTHOR = "raw_news.articles.author"
REJECTED_ARTICLES = "raw_news.rejected_lines.line"

# What a published column shows of persons.
KEY = "the shop's number of a customer, a pseudonym that joins orders to customers"
PERIOD = "the period of a customer's state, found among the states with the same number"
RULE = "names of rules: that a number or an address is missing or wrong, not what it is"
VALUES = {
    "marts.agg_customer_summary.customer_id": ([ID], KEY),
    "marts.dim_customers.customer_id": ([ID], KEY),
    "marts.dim_customers.customer_key": ([ID], KEY),
    "marts.fct_orders.customer_key": ([ID], KEY),
    "marts.dim_customers.email_hash": ([EMAIL], "a hash, with which addresses can be compared and not read"),
    "marts.dim_customers.is_current": ([ID], PERIOD),
    "marts.dim_customers.valid_from": ([ID], PERIOD),
    "marts.dim_customers.valid_to": ([ID], PERIOD),
    "marts.audit_ecommerce__failed_rules.rule": ([ID_OF_ORDER, ID, EMAIL], RULE),
    "marts.audit_ecommerce__failed_rules.examples": (
        [ID_OF_ORDER, ID, EMAIL],
        "up to three rows, with the number of the customer; of customers only the columns in example_columns",
    ),
    "marts.fct_articles.author": ([AUTHOR], "the byline of an article, which its publisher has made public"),
    "marts.audit_news__failed_rules.examples": (
        [AUTHOR],
        "up to three articles as their publishers show them",
    ),
}
# Tables whose rows depend on persons: an order of a customer who is not known, or whose row is invalid, is no fact.
VALID = "a row about a customer is valid or not by its number and address"
JOINED = "an order has the customer's state at its day"
COUNTED = "numbers of rows of all domains"
ROWS = {
    "marts.dim_customers": ([ID, EMAIL], VALID),
    "marts.fct_orders": ([ID_OF_ORDER, ID, EMAIL], JOINED),
    "marts.agg_category_month": ([ID_OF_ORDER, ID, EMAIL], JOINED),
    "marts.agg_customer_summary": ([ID_OF_ORDER, ID, EMAIL], JOINED),
    "marts.agg_daily_order_revenue": ([ID_OF_ORDER, ID, EMAIL], JOINED),
    "marts.agg_daily_order_revenue_by_region": ([ID_OF_ORDER, ID, EMAIL], JOINED),
    "marts.audit_ecommerce__failed_rules": ([ID_OF_ORDER, ID, EMAIL], VALID),
    "marts.audit_ecommerce__row_counts": ([ID_OF_ORDER, ID, EMAIL], VALID),
    "marts.agg_pipeline_health": ([ID_OF_ORDER, ID, EMAIL], COUNTED),
    "marts.agg_platform_day": ([ID_OF_ORDER, ID, EMAIL], COUNTED),
    "marts.audit_overview__row_counts": ([ID_OF_ORDER, ID, EMAIL], COUNTED),
    "marts.dim_pipelines": ([ID_OF_ORDER, ID, EMAIL], COUNTED),
}


@pytest.fixture(scope="module")
def lineage(project: Parsed) -> Lineage:
    return project.lineage


def personal(lineage: Lineage) -> list[str]:
    tables = [table for table in lineage.tables.values() if table.kind == RAW]
    return [
        f"{table.name}.{name}" for table in tables for name, each in table.columns.items() if each.personal
    ]


def published(found: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, set[str]]:
    by_name: dict[str, set[str]] = {}
    for source, names in found:
        for name in names:
            if name.startswith("marts."):
                by_name.setdefault(name, set()).add(source)
    return by_name


def test_these_raw_columns_are_about_persons(lineage: Lineage) -> None:
    assert {*personal(lineage)} == {
        ID_OF_ORDER,
        ID,
        EMAIL,
        NAME,
        REJECTED,
        AUTHOR,
        REJECTED_ARTICLES,
    }


def test_published_columns_that_come_from_personal_ones_are_those_that_were_agreed_to(
    lineage: Lineage,
) -> None:
    found = published((each, lineage.downstream(each).direct) for each in personal(lineage))
    assert found == {name: {*sources} for name, (sources, _) in VALUES.items()}


def test_tables_whose_rows_personal_columns_decide_are_those_that_were_agreed_to(lineage: Lineage) -> None:
    found = published((each, lineage.downstream(each).rows) for each in personal(lineage))
    assert found == {name: {*sources} for name, (sources, _) in ROWS.items()}
