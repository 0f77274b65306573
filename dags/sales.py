"""Load the sales files that have arrived and the catalogue, build and test the models, publish the marts.

| step | what it does | when it fails |
|---|---|---|
| `files` | says which files are complete | retried |
| `ingest_sales` | loads a file and moves it to the archive; a broken one to `failed`, with the reason | retried, but not for a broken file; the others go on |
| `ingest_products` | loads what is new or changed in the catalogue, if its API has an address | its requests are retried; the sales go on |
| `load_seeds`, `transform_*`, `model_analytics` | one task a dbt model, all in one `dbt build` | each retried |
| `test_data` | the data tests of all models | not retried |
| `publish` | puts the new marts in place by one rename | retried, but not if too much is in quarantine or differs |
| `notify` | tells people of a failure, or of any run, as e-mail and to a webhook | told in its log; the run does not depend on it |
| `record_run` | brings the run's metrics into `raw_ops` | retried; else the next run does it |

It runs as soon as files are complete (the asset `sluice://landing/sales`, watched by the triggerer), and every 30
minutes. A run without a new file is skipped, unless an earlier one could not publish what it had loaded. Whatever
fails, readers keep the version that was published last.

Parameters: `full_refresh` builds every incremental model from scratch, `years` rebuilds some years,
`accept` publishes whatever is in quarantine and however much differs from what is published. A backfill run rebuilds
its month.
"""

import sys

import pendulum
from airflow.sdk import DAG, AssetOrTimeSchedule, CronTriggerTimetable, chain
from dag_factory import common, dbt_tasks, run_dag_locally, schedule
from domain_tasks import end_run, ingest_files, publish
from landing_trigger import arrivals

DOMAIN = "sales"
ARRIVALS = [arrivals(DOMAIN)]
CRON = schedule(DOMAIN, default="*/30 * * * *")

with DAG(
    schedule=AssetOrTimeSchedule(assets=ARRIVALS, timetable=CronTriggerTimetable(CRON, timezone="UTC"))
    if CRON
    else ARRIVALS,
    start_date=pendulum.datetime(2024, 1, 1, tz="UTC"),
    catchup=False,
    **common(DOMAIN, __doc__),
) as dag:
    loaded = ingest_files(DOMAIN, "sales", api="products")
    models, tests = dbt_tasks(dag, DOMAIN)
    published = publish(DOMAIN)

    chain(loaded, models)
    chain(tests, published)
    end_run(DOMAIN, published, after=[loaded, published])

if __name__ == "__main__":
    sys.exit(run_dag_locally(dag) != "success")
