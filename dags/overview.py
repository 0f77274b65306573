"""Publish what all domains have in common, as `overview`, whenever one of them has published.

| step | what it does | when it fails |
|---|---|---|
| `build_and_publish` | reads what the domains publish, builds and tests the marts, puts them in place | retried; readers keep the last version |

A new domain is in it as soon as it has a folder in `dbt_project/models/marts/` and publishes. From a shell:
`sluice overview`.
"""

import pendulum
from airflow.sdk import DAG, AssetAny, task
from dag_factory import common, published, waiting

import settings

DAG_ID = "overview"
_SETTINGS = settings.load()
_MARTS = settings.DBT_PROJECT_DIR / "models" / "marts"
_DOMAINS = sorted({path.name for path in _MARTS.iterdir() if path.is_dir()} - {*settings.PLATFORM, "shared"})

with DAG(
    schedule=AssetAny(*(published(domain) for domain in _DOMAINS)),
    start_date=pendulum.datetime(2024, 1, 1, tz="UTC"),
    catchup=False,
    is_paused_upon_creation=False,
    **common(DAG_ID, __doc__, params={}, kind="platform"),
) as dag:

    @task(**waiting("health"))
    def build_and_publish(*, run_id: str | None = None) -> dict:
        """Build the marts from what is published, and publish them."""
        from observability.health.collect import overview

        return overview(_SETTINGS, run_id).to_dict()

    build_and_publish()
