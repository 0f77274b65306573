"""Start Airflow's scheduler, DAG processor or Celery worker with the modules that tasks need already imported.

    python -m local_airflow.preloaded scheduler|dag-processor|celery worker …

Every task is a fork of a fork of this process and imports none of these again: a watcher costs 0.09 s of CPU instead of
0.6 s, and a task that uses dbt or dlt saves 1.5 s.
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
    # Cosmos and dlt import them, if they are installed, in each task.
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
