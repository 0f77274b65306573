"""Load the delivered collision files, build and test the models, publish the marts.

| step | what it does | when it fails |
|---|---|---|
| `ingest_raw` | loads new and changed files; a bad one does not stop the others | retried, but not for a bad file |
| `load_seeds`, `transform_*`, `model_analytics` | one task a dbt model, all in one `dbt build` | each retried |
| `test_data` | the data and unit tests of all models | not retried |
| `publish` | puts the new marts in place by one rename | retried |

Whatever fails, readers keep the version that was published last.

Parameters: `full_refresh` builds every incremental model from scratch, `years` rebuilds some years. A
backfill run rebuilds its month.
"""

import sys

import pendulum
from airflow.sdk import DAG, chain, task
from airflow.sdk.exceptions import AirflowFailException
from pipeline import PARAMS, RETRIES, WAREHOUSE_WRITER, dbt_tasks, published, run_in_one_process

DOMAIN = "collisions"

with DAG(
    dag_id=DOMAIN,
    schedule="@daily",
    start_date=pendulum.datetime(2012, 7, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=RETRIES,
    params=PARAMS,
    tags=["pipeline", DOMAIN],
    doc_md=__doc__,
) as dag:

    @task(pool=WAREHOUSE_WRITER)
    def ingest_raw() -> dict:
        """Load what was delivered since the last run."""
        from ingestion.load import FilesFailedError, load_domain

        try:
            return load_domain(DOMAIN).to_dict()
        except FilesFailedError as error:
            raise AirflowFailException(error) from error

    @task(pool=WAREHOUSE_WRITER, outlets=[published(DOMAIN)])
    def publish() -> dict:
        """Swap in the new marts, which passed every test."""
        from operations.publish import PublishError
        from operations.publish import publish as publish_domain

        try:
            return publish_domain(DOMAIN).to_dict()
        except PublishError as error:
            raise AirflowFailException(error) from error

    @task
    def notify() -> None:
        """Say that the marts are new."""
        print(f"{DOMAIN} is published")

    first, tests = dbt_tasks(dag, DOMAIN)
    chain(ingest_raw(), first)
    chain(tests, publish(), notify())

if __name__ == "__main__":
    sys.exit(run_in_one_process(dag) != "success")
