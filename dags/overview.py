"""Publish what all domains have in common, as `overview`, whenever one of them has published.

| step | what it does | if it fails |
|---|---|---|
| `build_and_publish` | build and test the marts from what the domains publish, publish them | retried; readers keep the last version |

A new domain is included as soon as it has a folder in `dbt_project/models/marts/` and publishes. From a shell:
`sluice overview`.
"""

from airflow.sdk import AssetAny, task
from dag_factory import platform_dag, publish_outlets, published_asset, warehouse_writer

import settings
from ingestion.registry import domains

published = [published_asset(domain) for domain in domains()]

with platform_dag("overview", doc=__doc__, schedule=AssetAny(*published)) as dag:

    @task(inlets=published, outlets=publish_outlets("overview"), **warehouse_writer("health"))
    def build_and_publish(*, run_id: str | None = None) -> dict:
        """Build the marts from what is published, and publish them."""
        from observability.health.collect import overview

        return overview(settings.load(), run_id).to_dict()

    build_and_publish()
