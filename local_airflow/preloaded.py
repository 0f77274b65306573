"""Airflow's scheduler, its DAG processor or a worker of Celery's, with the modules that tasks need already imported.

    python -m local_airflow.preloaded scheduler|dag-processor|celery worker …

Every task is a fork of a fork of this process. What is imported here once, a task does not import: a
watcher then costs 0.09 s of a core, and what uses dbt or dlt is spared 1.5 s.
"""

import importlib
import sys

PRELOADED = (
    "cosmos.airflow.task_group",
    "cosmos.converter",
    "cosmos.operators.watcher",
    "cosmos.operators.local",
    "airflow.sdk.execution_time.task_runner",
    "airflow.dag_processing.dagbag",
    "airflow.providers.standard.operators.empty",
    "airflow.providers.standard.decorators.python",
    "dbt.cli.main",
    "dbt.adapters.duckdb",
    "dlt.destinations.impl.duckdb.duck",
    "pandas",
    "pyarrow.parquet",
    # Cosmos and dlt look for them, and import them, in each task.
    "openlineage.common.provider.dbt.local",
    "streamlit",
    "orchestration.steps",
)

if __name__ == "__main__":
    for module in PRELOADED:
        importlib.import_module(module)
    from airflow.__main__ import main

    sys.argv = ["airflow", *sys.argv[1:]]
    main()
