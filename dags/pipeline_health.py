"""Collect the health of the pipelines, publish it as `health`, and send alerts.

| step | what it does | when it fails |
|---|---|---|
| `collect` | writes new runs, tasks, dbt results, loads and publications into `raw_ops` | retried; if Airflow's API or a published file cannot be read, the rest is collected |
| `build_and_publish` | builds, tests and publishes the marts | retried; readers keep the last version |
| `send_alerts` | notifies once of each alert that starts or ends, see `observability/health/alerts.yml` | retried; an alert that could not be sent is sent next time |

The dashboard (`make dashboard`) shows it. From a shell: `sluice health`.
"""

import logging

import pendulum
from airflow.sdk import DAG, chain, task
from dag_factory import common, schedule, waiting

import settings

DAG_ID = "pipeline_health"
_SETTINGS = settings.load()
log = logging.getLogger(__name__)

with DAG(
    schedule=schedule(DAG_ID, default="*/15 * * * *"),
    start_date=pendulum.datetime(2024, 1, 1, tz="UTC"),
    catchup=False,
    is_paused_upon_creation=False,
    **common(DAG_ID, __doc__, params={}, kind="platform"),
) as dag:

    @task(**waiting("health"))
    def collect() -> dict:
        """Write what is new into the warehouse."""
        from observability.health.collect import collect

        collected = collect(_SETTINGS)
        if collected.airflow_error:
            log.warning("Airflow was not collected: %s", collected.airflow_error)
        return collected.to_dict()

    @task(**waiting("health"))
    def build_and_publish(*, run_id: str | None = None) -> dict:
        """Build the marts and publish them."""
        from observability.health.collect import DOMAIN, build

        return build(DOMAIN, _SETTINGS, run_id).to_dict()

    @task(**waiting("health"))
    def send_alerts() -> list[dict]:
        """Notify of alerts that start or end."""
        from observability.health.alerts import send_alerts

        return [alert.to_dict() for alert in send_alerts(_SETTINGS)]

    chain(collect(), build_and_publish(), send_alerts())
