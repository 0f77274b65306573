"""Program: parse the DAG of a shop whose orders are fetched from a bucket, and print its tasks as JSON."""

import json
import sys
from dataclasses import replace

from airflow.dag_processing.dagbag import DagBag

from ingestion.remote_files import RemoteFiles
from ingestion.sources import ecommerce
from settings import PROJECT_DIR

fetched = RemoteFiles("SLUICE_SHOP_FILES_URL")
ecommerce.RESOURCES = tuple(
    replace(resource, source=fetched) if resource.entity == "orders" else resource
    for resource in ecommerce.RESOURCES
)
sys.path.insert(0, str(PROJECT_DIR / "dags"))
dag = DagBag(PROJECT_DIR / "dags" / "ecommerce.py").dags["ecommerce"]
print(
    "RESULT"
    + json.dumps(
        {task.task_id: [task.trigger_rule, task.pool, sorted(task.upstream_task_ids)] for task in dag.tasks}
    )
)
