"""Fetch and load months of trips, build and test the models, publish the marts.

| step | what it does | when it fails |
|---|---|---|
| `months` | says which months: that of the run's interval, or the parameter `months` of a manual run | retried |
| `download_trips` | fetches a month's file, if a URL is set; skipped if the month is not out yet | retried, going on where it was |
| `ingest_trips` | loads the file in place of what the month had before | retried, but not for a bad file |
| `load_seeds`, `transform_*`, `model_analytics` | one task a dbt model, all in one `dbt build` | each retried |
| `test_data` | the data tests of all models | not retried |
| `publish` | puts the new marts in place by one rename | retried, but not if too much is in quarantine or differs |
| `notify` | tells people of a failure, or of any run, as e-mail and to a webhook | told in its log; the run does not depend on it |
| `record_run` | brings the run's metrics into `raw_ops` | retried; else the next run does it |

A month that fails leaves the others of its run to be published; the run is then partial. Whatever else fails,
readers keep the version that was published last.

Each scheduled run is for the month before it. `airflow backfill create --dag-id taxi --from-date … --to-date …`
loads and rebuilds past months, in any order, any number of times.

Parameters: `months` are those of a manual run (none: all that are in landing), `full_refresh` builds every
incremental model from scratch, `years` rebuilds some years, `accept` publishes whatever is in
quarantine and however much differs from what is published.
"""

import sys
from datetime import date

from airflow.sdk import DAG, CronDataIntervalTimetable, chain
from dag_factory import MONTHS, PARAMS, common, dbt_tasks, run_dag_locally, schedule, start
from domain_tasks import end_run, ingest_months, publish

DOMAIN = "taxi"
# On the second day of a month its interval, which begins on the second of the month before, has ended.
CRON = schedule(DOMAIN, default="0 6 2 * *")

with DAG(
    schedule=CronDataIntervalTimetable(CRON, timezone="UTC") if CRON else None,
    start_date=start(DOMAIN, default=date(2021, 1, 1)),
    catchup=True,
    **common(DOMAIN, __doc__, PARAMS | MONTHS),
) as dag:
    loaded = ingest_months(DOMAIN, "trips")
    models, tests = dbt_tasks(dag, DOMAIN)
    published = publish(DOMAIN)

    chain(loaded, models)
    chain(tests, published)
    end_run(DOMAIN, published, after=[loaded, published])

if __name__ == "__main__":
    sys.exit(run_dag_locally(dag) != "success")
