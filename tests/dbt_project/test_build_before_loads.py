"""`dbt build` of the whole project works at any time: its source tables need not be loaded."""

from pathlib import Path

import dlt
import pytest

from ingestion.enrich.enrichment_resource import EnrichmentResource
from ingestion.load import load_domain
from ingestion.loader.loader import Loader
from ingestion.loader.tables import enrichments, llm_usage
from ingestion.registry import domains, resources_of
from observability.health.airflow_history import PIPELINES, RUNS, TASKS
from observability.health.collect import DBT_RESULTS, LOADS
from observability.health.publications import COSTS, DAYS, PUBLICATIONS
from observability.metrics import record
from observability.metrics.ops_store import OPS, write_resources
from samples.ecommerce import write_ecommerce
from tests.dbt_project.built import Built
from tests.forks import run_dbt
from tests.parsed import Parsed
from warehouse import connect

pytestmark = pytest.mark.slow

COLUMNS = (
    "select table_schema, table_name, column_name, data_type from information_schema.columns "
    "where table_schema like 'raw\\_%' escape '\\' and table_schema not like '%\\_staging' escape '\\' "
    "and table_name not like '\\_dlt%' escape '\\'"
)
EMPTY = dlt.mark.materialize_table_schema()
ENRICHMENT_TABLES = (enrichments([EMPTY]), llm_usage([EMPTY]))
OPS_TABLES = (PIPELINES, RUNS, TASKS, DBT_RESULTS, LOADS, COSTS, DAYS, PUBLICATIONS, record.RUNS)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, project: Parsed) -> Built:
    """The whole project, built in a data folder without any load."""
    built = Built("ecommerce", tmp_path_factory.mktemp("empty"), project)
    run_dbt(["build"], built.settings)
    return built


def test_every_mart_exists_before_the_first_load(built: Built) -> None:
    assert built.query("select count(*) from marts.fct_orders") == [(0,)]
    assert built.query("select count(*) from marts.agg_pipeline_health") == [(0,)]


def test_a_load_fills_the_tables_that_dbt_has_created(built: Built, tmp_path: Path) -> None:
    loaded = built.copied_to(tmp_path / "data")
    made = write_ecommerce(loaded.landing, orders=200)
    load_domain("ecommerce", loaded.settings)
    run_dbt(["build", "--select", "source:raw_ecommerce+"], loaded.settings)
    read = loaded.query("select sum(rows_read)::int from marts.audit_ecommerce__row_counts")
    assert read == [(made.lines,)]


def test_dbt_creates_the_columns_that_a_load_creates(built: Built, tmp_path: Path) -> None:
    loaded = Built("ecommerce", tmp_path / "data", built.project)
    for domain in domains():
        for resource in resources_of(domain):
            # The city's API adds a column that no model reads, where it is used.
            if not isinstance(resource, EnrichmentResource) and getattr(resource, "is_used", True):
                with Loader.open(resource, loaded.settings) as loader:
                    loader.create_tables(*ENRICHMENT_TABLES)
    with connect(loaded.settings, OPS) as warehouse:
        write_resources(warehouse, loaded.settings, [table.resource([]) for table in OPS_TABLES])
    created = set(built.query(COLUMNS))
    assert created == {row for row in loaded.query(COLUMNS) if row[:2] in {row[:2] for row in created}}
