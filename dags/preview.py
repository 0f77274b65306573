"""Show what the models of this checkout would do to what is published, without publishing it.

Builds aside what differs from the models of the published version, and compares its marts with the published ones.
The differences are printed to the log and returned by the task. It runs only by hand.

Parameters: `domains` are the domains to compare (none: all that are published).
"""

import pendulum
from airflow.sdk import DAG, Param, task
from dag_factory import RETRIES, waiting

import settings

with DAG(
    dag_id="preview",
    schedule=None,
    start_date=pendulum.datetime(2022, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=RETRIES,
    params={
        "domains": Param(
            [],
            type="array",
            items={"type": "string"},
            description="Domains to compare; without any, all that are published.",
        )
    },
    tags=["by hand"],
    doc_md=__doc__,
) as dag:
    # In the pool, so that nobody writes to the warehouse meanwhile. Not retried: a model that fails, fails again.
    @task(task_id="compare", **waiting("build") | {"retries": 0})
    def compare(*, params: dict | None = None) -> list[dict]:
        """Build what the change touches, compare it and print the differences."""
        from publishing.preview import describe, previews

        found = previews(params["domains"], settings.load())
        print(describe(found))
        return [each.to_dict() for each in found]

    compare()
