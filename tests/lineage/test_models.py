"""The lineage of all models, from the compiled SQL of dbt's documentation, which needs no data."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

import pytest

from lineage.graph import MODEL, RAW, SEED, Lineage
from settings import Settings
from tests.parsed import Parsed
from transformation.manifest import read_manifest

# Columns that marts come from in the end and that come from no other column, each with the reason.
EXCEPTIONS = {
    "*._built_at": "the time of the build",
    "*._validated_at": "the time of the build",
    "marts.dim_dates.*": "a calendar between two dates of the project's variables",
    "marts.audit_*__failed_rules.entity": "a constant for each entity",
    "marts.audit_health__row_counts.*": "constants, because the platform has no files",
    "marts.audit_overview__row_counts.*": "constants, because the platform has no files",
    "curated.curated_collisions__vehicles.vehicle_position": "a constant for each of the five columns of vehicles",
}


@pytest.fixture(scope="module")
def lineage(project: Parsed) -> Lineage:
    return project.lineage


def test_every_model_and_its_columns_are_there(lineage: Lineage, project: Parsed, settings: Settings) -> None:
    manifest = read_manifest(project.put(settings).manifest)
    models = [node for node in manifest.nodes.values() if node["resource_type"] == MODEL]
    assert len(models) > 90
    for node in models:
        table = lineage.tables[f"{node['schema']}.{node['alias']}"]
        assert {*table.columns} == {*node["columns"]} or node["schema"] != "marts"
        assert table.reads or node["name"] == "dim_dates"


def ends(lineage: Lineage, column: str) -> Iterator[str]:
    """Return where a column comes from in the end."""
    if not (sources := lineage.column(column).sources):
        yield column
    for source in sources:
        yield from ends(lineage, source)


def test_every_published_column_ends_at_a_raw_column_or_a_seed_or_counts_rows(lineage: Lineage) -> None:
    found = {
        end
        for name, table in lineage.tables.items()
        for column in table.columns
        if name.startswith("marts.")
        for end in ends(lineage, f"{name}.{column}")
        if lineage.tables[lineage.table_of(end)].kind not in (RAW, SEED)
        and not lineage.column(end).counts_rows
    }
    used = {end: [pattern for pattern in EXCEPTIONS if fnmatchcase(end, pattern)] for end in found}
    assert {end for end, patterns in used.items() if not patterns} == set()
    assert {pattern for patterns in used.values() for pattern in patterns} == {*EXCEPTIONS}


def test_what_python_fills_is_declared_with_columns_that_exist(lineage: Lineage) -> None:
    reached = lineage.downstream("raw_ecommerce.orders.unit_price")
    assert "marts.agg_daily_order_revenue.revenue" in reached.direct
    assert "marts.agg_platform_day" in reached.rows
    assert {"page_ecommerce", "report_ecommerce_daily_order_revenue"} <= {*reached.readers}
    assert "raw_news.articles.title" in lineage.upstream("marts.fct_articles.sentiment").direct
    for table in lineage.tables.values():
        for name in {
            *table.rows,
            *(source for column in table.columns.values() for source in column.sources),
        }:
            assert lineage.find(name) == name


def test_inputs_are_the_files_and_apis(lineage: Lineage) -> None:
    assert lineage.inputs("marts.fct_store_sales") == ("api/sales/products", "landing/sales/sales")
    assert lineage.inputs("marts.fct_articles.sentiment") == ("api/news/articles",)
