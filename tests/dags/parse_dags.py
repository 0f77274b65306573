"""Program: parse dags/ as a process of Airflow does, and print what the tests check, as JSON."""

import json
import sys
from typing import Any

import cosmos.converter
import cosmos.operators.watcher  # noqa: F401  # each DAG would count them as its own imports
import psutil
from airflow.dag_processing.dagbag import DagBag
from airflow.models.serialized_dag import SerializedDagModel
from airflow.serialization.serialized_objects import DagSerialization

from settings import PROJECT_DIR


def facts_of(dag: Any) -> dict[str, Any]:
    tasks = {
        task.task_id: {
            "upstream": sorted(task.upstream_task_ids),
            "pool": task.pool,
            "retries": task.retries,
            "timeout": task.execution_timeout.total_seconds() if task.execution_timeout else None,
            "asks": getattr(task, "asks", None),
            "trigger_rule": str(getattr(task.trigger_rule, "value", task.trigger_rule)),
            "priority": task.priority_weight,
            "inlets": sorted(asset.uri for asset in task.inlets),
            "outlets": sorted(asset.uri for asset in task.outlets),
            "mapped": next(iter(task.iter_mapped_task_groups()), None) is not None,
        }
        for task in dag.tasks
    }
    assets = [asset for task in dag.tasks for asset in (*task.inlets, *task.outlets)]
    serialized = DagSerialization.to_dict(dag)
    return {
        # Airflow records a new version of the DAG when this changes.
        "digest": SerializedDagModel.hash(serialized),
        "tasks": tasks,
        "assets": [
            [asset.uri, {"name": asset.name, "group": asset.group, **asset.extra}] for asset in assets
        ],
        "leaves": sorted(task.task_id for task in dag.leaves),
        # In a DAG that assets start as well, the clock is a timetable within.
        "schedule": getattr(getattr(dag.timetable, "timetable", dag.timetable), "expression", None),
        "timetable": serialized["dag"]["timetable"],
        "deadlines": len(dag.deadline or []),
        "catchup": dag.catchup,
        "paused": dag.is_paused_upon_creation,
        "start": dag.start_date.isoformat(),
        "max_active_runs": dag.max_active_runs,
        "params": sorted(dag.params),
        "doc": dag.doc_md,
    }


sys.path.insert(0, str(PROJECT_DIR / "dags"))
bag = DagBag(PROJECT_DIR / "dags")
heavy = [name for name in sys.modules if name.startswith(("dbt.cli", "duckdb", "dlt"))]
answer = {
    "dags": {dag_id: facts_of(dag) for dag_id, dag in bag.dags.items()},
    "errors": {name.rpartition("/")[2]: trace for name, trace in bag.import_errors.items()},
    "heavy": sorted(heavy),
    "children": len(psutil.Process().children()),
}
print("RESULT" + json.dumps(answer))
