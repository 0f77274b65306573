"""Load what the shop delivered, build and test the models, publish the marts, write the reports.

| step | what it does | when it fails |
|---|---|---|
| `ingest_*` | load new and changed files; a bad one does not stop the others | retried, but not for a bad file |
| `load_seeds`, `transform_*`, `model_analytics` | one task a dbt model, all in one `dbt build` | each retried |
| `test_data` | the data tests of all models | not retried |
| `publish` | puts the new marts in place by one rename | retried, but not if too much is in quarantine or differs |
| `write_reports` | writes CSV files from the published marts | retried once; the run succeeds without them |
| `notify` | tells people of a failure, or of any run, as e-mail and to a webhook | told in its log; the run does not depend on it |
| `record_run` | brings the run's metrics into `raw_ops` | retried; else the next run does it |

Whatever fails up to `publish`, readers keep the version that was published last.

Parameters: `full_refresh` builds every incremental model from scratch, `years` rebuilds some years,
`accept` publishes whatever is in quarantine and however much differs from what is published. A backfill run rebuilds its month.
"""

import sys

import pendulum
from airflow.sdk import DAG, chain, cross_downstream
from dag_factory import common, dbt_tasks, run_dag_locally, schedule
from domain_tasks import end_run, ingest, publish, write_reports

DOMAIN = "ecommerce"

with DAG(
    schedule=schedule(DOMAIN, default="0 2 * * *"),
    start_date=pendulum.datetime(2023, 1, 1, tz="UTC"),
    catchup=False,
    **common(DOMAIN, __doc__),
) as dag:
    ingested = [ingest(DOMAIN, entity) for entity in ("orders", "customers", "products")]
    models, tests = dbt_tasks(dag, DOMAIN)
    published = publish(DOMAIN)
    reported = write_reports(DOMAIN)

    cross_downstream(ingested, models)
    chain(tests, published, reported)
    end_run(DOMAIN, published, after=[*ingested, reported])

if __name__ == "__main__":
    sys.exit(run_dag_locally(dag) != "success")
