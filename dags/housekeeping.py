"""Remove old logs and versions, and give back what is free in the warehouse file, every Sunday night.

| step | what it does | if it fails |
|---|---|---|
| `clean_up` | remove logs older than 30 days and versions beyond those that are kept; write the warehouse file again if more than half of it is free | retried |

From a shell: `sluice housekeeping`. Airflow lets no task reach its database; old runs are removed from a shell:
`sluice airflow exec airflow db clean --clean-before-timestamp 2026-01-01`.
"""

from airflow.sdk import task
from dag_factory import platform_dag, warehouse_writer

import settings

with platform_dag("housekeeping", doc=__doc__, schedule="0 3 * * 0") as dag:

    @task(**warehouse_writer("health"))
    def clean_up() -> dict:
        """Remove old logs and versions, and compact the warehouse."""
        from orchestration.housekeeping import clean_up

        return clean_up(settings.load()).to_dict()

    clean_up()
