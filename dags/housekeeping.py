"""Remove old logs, runs and versions, and give back what is free in the warehouse file, every Sunday night.

| step | what it does | if it fails |
|---|---|---|
| `clean_up` | remove logs older than 30 days and versions beyond those that are kept; write the warehouse file again if more than half of it is free | retried |
| `clean_database` | remove runs and tasks older than 90 days from Airflow's database (`airflow db clean`) | retried |

From a shell: `sluice housekeeping`, and `sluice airflow exec airflow db clean`.
"""

import sys

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import chain, task
from dag_factory import platform_dag, warehouse_writer

import settings

with platform_dag("housekeeping", doc=__doc__, schedule="0 3 * * 0") as dag:

    @task(**warehouse_writer("health"))
    def clean_up() -> dict:
        """Remove old logs and versions, and compact the warehouse."""
        from orchestration.housekeeping import clean_up

        return clean_up(settings.load()).to_dict()

    clean_database = BashOperator(
        task_id="clean_database",
        # By this Python, whose folder may be on no path.
        bash_command=f"{sys.executable} -m airflow db clean --clean-before-timestamp"
        " '{{ macros.ds_add(macros.datetime.now().strftime(\"%Y-%m-%d\"), -90) }}' --skip-archive --yes",
    )
    chain(clean_up(), clean_database)
