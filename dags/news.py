"""Load the news of the day, judge the new articles, build and test the models, publish the marts.

| step | what it does | when it fails |
|---|---|---|
| `ingest_articles` | loads what was published since the last run | fails for good: the next run goes on |
| `check_for_new_data` | skips the rest if nothing is new, and nothing is left from earlier runs | retried |
| `enrich_articles` | has each new text judged, within the budget | the run goes on, with articles that wait for the next one |
| `check_volume` | raises an alert if the last whole day has less than half of the articles of the week before it | the run goes on |
| `load_seeds`, `transform_*`, `model_analytics` | one task a dbt model, all in one `dbt build` | each retried |
| `test_data` | the data tests of all models | not retried |
| `publish` | puts the new marts in place by one rename | retried, but not if too much is in quarantine or differs |
| `notify` | tells people of a failure, or of any run, as e-mail and to a webhook | told in its log; the run does not depend on it |
| `record_run` | brings the run's metrics into `raw_ops` | retried; else the next run does it |

Whatever fails up to `publish`, readers keep the version that was published last.

Parameters: `full_refresh` builds every incremental model from scratch, `years` rebuilds some years,
`accept` publishes whatever is in quarantine and however much differs from what is published.
"""

import sys
from datetime import datetime

import pendulum
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, chain, cross_downstream, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from dag_factory import common, dbt_tasks, run_dag_locally, schedule
from domain_tasks import end_run, has_manual_params, ingest, publish

import settings

DOMAIN = "news"
_SETTINGS = settings.load()


@task(task_id="check_for_new_data")
def check_for_new_data(loaded: dict, *, params: dict | None = None) -> None:
    """Go on if articles came or still wait to be judged or published, or if the parameters ask for it."""
    from ingestion.enrich.volume_check import outlook
    from ingestion.sources.news import ARTICLES
    from publishing.store import store_of

    found = outlook(ARTICLES, _SETTINGS)
    made = store_of(DOMAIN, _SETTINGS).versions()
    # The newest version, not the one in use: after a rollback, nobody wants it undone by the next run.
    published_marker = made and datetime.fromisoformat(made[-1].facts["made_at"]) > found.loaded_at
    if not (loaded["rows_loaded"] or found.waiting or has_manual_params(params) or not published_marker):
        raise AirflowSkipException("no new articles")


# Without the pool: while it waits for the model, others may use the warehouse.
@task(task_id="enrich_articles")
def enrich_articles(*, run_id: str | None = None) -> dict:
    """Have the new texts judged; what is left, the next run judges."""
    from orchestration.run import ingest as load

    summary = load(DOMAIN, run_id, _SETTINGS, "enrichments")
    if summary.partial:
        raise AirflowFailException("; ".join(file.reason for file in summary.results))
    return summary.to_dict()


@task(task_id="check_volume", retries=0)
def check_volume() -> None:
    """Fail, as an alert, if the last whole day has less than half of the articles of the week before it."""
    from ingestion.enrich.volume_check import outlook
    from ingestion.sources.news import ARTICLES

    found = outlook(ARTICLES, _SETTINGS)
    if found.is_low:
        raise AirflowFailException(f"few articles: {found}")
    print(found)


with DAG(
    schedule=schedule(DOMAIN, default="0 5 * * *"),
    start_date=pendulum.datetime(2024, 1, 1, tz="UTC"),
    catchup=False,
    **common(DOMAIN, __doc__),
) as dag:
    ingested = ingest(DOMAIN, "articles")
    begun = check_for_new_data(ingested)
    # Neither the alert nor the budget stops the run; only `begun` decides whether it goes on.
    looked_at = EmptyOperator(task_id="data_available", trigger_rule="all_done")
    models, tests = dbt_tasks(dag, DOMAIN)
    published = publish(DOMAIN)

    chain(begun, [enrich_articles(), check_volume()], looked_at)
    cross_downstream([begun, looked_at], models)
    chain(tests, published)
    end_run(DOMAIN, published, after=[ingested, published])

if __name__ == "__main__":
    sys.exit(run_dag_locally(dag) != "success")
