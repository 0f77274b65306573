"""### Collisions

Loads the delivered collision files, builds and tests the models, and publishes the marts.

| step | what it does | when it fails |
|---|---|---|
| `ingest_raw` | loads every new or changed file; a file that cannot be loaded fails the task after the others are in | retried; what was loaded stays loaded |
| `transform_*`, `model_analytics` | one task a dbt model, built by one `dbt build` | each model retries by itself |
| `test_data` | the data and unit tests of all models | not retried; readers keep the last published version |
| `publish` | checks the new marts against the published ones and swaps them in by one rename | retried; readers keep the last published version |

Parameters: `full_refresh` builds every incremental model from scratch, `years` rebuilds some years. A
backfill run rebuilds its month.
"""

import pendulum
from airflow.sdk import DAG, chain, task

from pipeline import PARAMS, RETRIES, WAREHOUSE_WRITER, dbt_tasks, published

DOMAIN = "collisions"

with DAG(
    dag_id=DOMAIN,
    schedule="@daily",
    start_date=pendulum.datetime(2025, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=RETRIES,
    params=PARAMS,
    tags=["pipeline", DOMAIN],
    doc_md=__doc__,
) as dag:

    @task(pool=WAREHOUSE_WRITER)
    def ingest_raw() -> dict:
        from ingestion.load import load_domain

        return load_domain(DOMAIN).to_dict()

    @task(pool=WAREHOUSE_WRITER, outlets=[published(DOMAIN)])
    def publish() -> None:
        from operations.publish import publish as publish_domain

        publish_domain(DOMAIN)

    @task
    def notify() -> None:
        print(f"{DOMAIN} is published")

    first, tests = dbt_tasks(dag, DOMAIN)
    chain(ingest_raw(), first)
    chain(tests, publish(), notify())
