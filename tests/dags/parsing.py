"""DAG files as Airflow parses them."""

import json
import subprocess
import sys

import settings

# Parses DAGs as a process of Airflow does and prints what the tests look at.
PARSE = """
import importlib, json, sys
sys.path.insert(0, "dags")
import airflow.dag_processing.dagbag, cosmos.converter, cosmos.operators.watcher
from airflow.models.serialized_dag import SerializedDagModel
from airflow.serialization.serialized_objects import DagSerialization

def look_at(dag):
    tasks = {
        task.task_id: {
            "upstream": sorted(task.upstream_task_ids),
            "pool": task.pool,
            "retries": task.retries,
            "trigger_rule": str(task.trigger_rule.value),
            "priority": task.priority_weight,
            "mapped": next(iter(task.iter_mapped_task_groups()), None) is not None,
        }
        for task in dag.tasks
    }
    serialized = DagSerialization.to_dict(dag)
    return {
        # Airflow records a new version of the DAG when this changes.
        "digest": SerializedDagModel.hash(serialized),
        "tasks": tasks,
        "leaves": sorted(task.task_id for task in dag.leaves),
        # Of a DAG that assets start as well, the clock is a timetable within.
        "schedule": getattr(getattr(dag.timetable, "timetable", dag.timetable), "expression", None),
        "timetable": serialized["dag"]["timetable"],
        "deadlines": len(dag.deadline or []),
        "catchup": dag.catchup,
        "start": dag.start_date.isoformat(),
        "max_active_runs": dag.max_active_runs,
        "params": sorted(dag.params),
        # So far: what an earlier DAG has imported or started counts against the later ones, too.
        "heavy": sorted(name for name in sys.modules if name.startswith(("dbt.cli", "duckdb", "dlt"))),
        "children": len(__import__("psutil").Process().children()),
    }

print("RESULT" + json.dumps({name: look_at(importlib.import_module(name).dag) for name in sys.argv[1:]}))
"""


def run(script, environment, *arguments, **more):
    """What a script, run with the environment of Airflow's processes, prints after the word RESULT."""
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={**environment, **more},
        cwd=settings.PROJECT_DIR,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.rpartition("RESULT")[2])


def parse(names, environment, **more):
    """Look at DAGs, parsed one after the other by one process."""
    return run(PARSE, environment, *names, **more)


def before(tasks, name):
    """The tasks without whose success a task does not run."""
    found, todo = set(), [name]
    while todo:
        task = tasks[todo.pop()]
        # Of a task that runs however its upstream ended, nothing before it is sure.
        if task["trigger_rule"] == "all_success":
            todo += set(task["upstream"]) - found
            found |= set(task["upstream"])
    return found
