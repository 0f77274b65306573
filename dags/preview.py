"""Show what the models of this checkout would do to what is published, without publishing it.

Builds aside the models that differ from those of the published version, and compares the marts with the published ones.
The task logs and returns the differences. It runs only by hand.
"""

from airflow.sdk import Param, task
from dag_factory import platform_dag, warehouse_writer

import settings

DOMAINS = Param(
    [],
    type="array",
    items={"type": "string"},
    description="Domains to compare; without any, all that are published.",
)

with platform_dag("preview", doc=__doc__, schedule=None, params={"domains": DOMAINS}) as dag:
    # In the pool, so that nobody writes to the warehouse meanwhile. Not retried: a model that fails, fails again.
    @task(**warehouse_writer("build") | {"retries": 0})
    def compare(*, params: dict | None = None) -> list[dict]:
        """Build what the change touches, compare it and print the differences."""
        from publishing.preview import describe, previews

        found = previews(params["domains"], settings.load())
        print(describe(found))
        return [each.to_dict() for each in found]

    compare()
