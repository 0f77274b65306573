"""Collect the state of the pipelines, publish it as `health`, and send alerts.

| step | what it does | if it fails |
|---|---|---|
| `collect` | copy new runs, tasks, dbt results, loads and publications to `raw_ops` | retried; without Airflow's API, or a published file, the rest is collected |
| `build_and_publish` | build, test and publish the marts | retried; readers keep the last version |
| `send_alerts` | send a message for each alert that begins or ends, see `observability/health/alerts.yml` | retried; what was not sent is sent by the next run |

The dashboard (`make dashboard`) shows it. From a shell: `sluice health`.
"""

import logging

from airflow.sdk import chain, task
from dag_factory import platform_dag, publish_outlets, warehouse_writer

import settings

log = logging.getLogger(__name__)

with platform_dag("pipeline_health", doc=__doc__, schedule="*/15 * * * *") as dag:

    @task(**warehouse_writer("health"))
    def collect() -> dict:
        """Copy what is new to the warehouse."""
        from observability.health.collect import collect

        collected = collect(settings.load())
        if collected.airflow_error:
            log.warning("Airflow was not collected: %s", collected.airflow_error)
        return collected.to_dict()

    @task(outlets=publish_outlets("health"), **warehouse_writer("health"))
    def build_and_publish(*, run_id: str | None = None) -> dict:
        """Build the marts and publish them."""
        from observability.health.collect import DOMAIN, build

        return build(DOMAIN, settings.load(), run_id).to_dict()

    @task(**warehouse_writer("health"))
    def send_alerts() -> list[dict]:
        """Send a message for each alert that begins or ends."""
        from observability.health.alerts import send_alerts

        return [alert.to_dict() for alert in send_alerts(settings.load())]

    chain(collect(), build_and_publish(), send_alerts())
