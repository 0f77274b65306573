"""Collect how the pipelines are, publish it as `health`, and tell people of alerts.

| step | what it does | when it fails |
|---|---|---|
| `collect` | brings new runs, tasks, dbt results, loads and publications into `raw_ops` | retried; without Airflow's API, or a published file, the rest is collected |
| `build_and_publish` | builds and tests the marts, puts them in place | retried; readers keep the last version |
| `tell` | tells once of each alert that begins or ends, see `observability/health/alerts.yml` | retried; what is not told is told next time |

The dashboard (`make dashboard`) shows it. From a shell: `sluice health`.
"""

import pendulum
from airflow.sdk import DAG, chain, task
from dag_factory import common, schedule, waiting

import settings

DAG_ID = "pipeline_health"
_SETTINGS = settings.load()

with DAG(
    schedule=schedule(DAG_ID, default="*/15 * * * *"),
    start_date=pendulum.datetime(2024, 1, 1, tz="UTC"),
    catchup=False,
    is_paused_upon_creation=False,
    **common(DAG_ID, __doc__, params={}, kind="platform"),
) as dag:

    @task(**waiting("health"))
    def collect() -> dict:
        """Bring what is new into the warehouse."""
        from observability.health.collect import collect

        collected = collect(_SETTINGS)
        if collected.without_airflow:
            print(f"Airflow was not asked: {collected.without_airflow}")
        for reason in collected.unread.values():
            print(f"left out: {reason}")
        return collected.to_dict()

    @task(**waiting("health"))
    def build_and_publish(*, run_id: str | None = None) -> dict:
        """Build the marts and publish them."""
        from observability.health.collect import DOMAIN, build

        return build(DOMAIN, _SETTINGS, run_id).to_dict()

    @task(**waiting("health"))
    def tell() -> list[dict]:
        """Tell of alerts that begin or end."""
        from observability.health.alerts import tell

        return [told.to_dict() for told in tell(_SETTINGS)]

    chain(collect(), build_and_publish(), tell())
