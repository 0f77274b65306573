"""The DAG file as Airflow parses it. A run of it, from real input to published tables, is in end_to_end."""

import json
import subprocess
import sys

import pytest

import settings
from operations.dbt import ensure_manifest
from runtime.configuration import airflow_environment

# Parses the DAG as a process of Airflow does and prints what the tests look at.
PARSE = """
import json, sys, time
sys.path.insert(0, "dags")
import airflow.dag_processing.dagbag, cosmos.converter, cosmos.operators.watcher
from airflow.models.serialized_dag import SerializedDagModel
from airflow.serialization.serialized_objects import DagSerialization
started = time.perf_counter()
from collisions import dag
seconds = time.perf_counter() - started
tasks = {
    task.task_id: {
        "upstream": sorted(task.upstream_task_ids),
        "pool": task.pool,
        "retries": task.retries,
        "trigger_rule": str(task.trigger_rule.value),
    }
    for task in dag.tasks
}
print("RESULT" + json.dumps({
    "seconds": seconds,
    # Airflow records a new version of the DAG when this changes.
    "digest": SerializedDagModel.hash(DagSerialization.to_dict(dag)),
    "dbt": sorted(name for name in sys.modules if name.startswith(("dbt.cli", "duckdb", "dlt"))),
    "tasks": tasks,
    "children": len(__import__("psutil").Process().children()),
}))
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    where = settings.Settings(data_dir=tmp_path_factory.mktemp("data"), env="dev")
    ensure_manifest(where)
    return airflow_environment(where, port=1)


def parse(environment, **more):
    done = subprocess.run(
        [sys.executable, "-c", PARSE],
        env={**environment, **more},
        cwd=settings.PROJECT_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.rpartition("RESULT")[2])


@pytest.fixture(scope="module")
def parsed(environment):
    return parse(environment)


def test_two_parses_give_the_same_dag(environment, parsed):
    assert parse(environment, PYTHONHASHSEED="7")["digest"] == parsed["digest"]


def test_parsing_starts_no_dbt_and_imports_nothing_heavy(parsed):
    assert parsed["dbt"] == []
    assert parsed["children"] == 0


def test_parsing_costs_less_than_a_second(parsed):
    assert parsed["seconds"] < 1


def test_models_are_tasks_in_the_group_of_their_layer(parsed):
    tasks = parsed["tasks"]
    crashes = tasks["transform_curated.curated_collisions__crashes"]
    assert "transform_clean.clean_collisions__crashes" in crashes["upstream"]
    assert "model_analytics.fct_collisions" in tasks


def test_what_writes_takes_the_pool_of_the_warehouse_and_only_the_models_retry_in_the_build(parsed):
    tasks = parsed["tasks"]
    writers = {name for name, task in tasks.items() if task["pool"] == "warehouse_writer"}
    assert writers == {"ingest_raw", "dbt_producer_watcher", "test_data", "publish"}
    assert tasks["dbt_producer_watcher"]["retries"] == tasks["test_data"]["retries"] == 0
    assert tasks["transform_clean.clean_collisions__crashes"]["retries"] > 0


def test_publish_waits_for_the_tests_and_for_every_model(parsed):
    tasks = parsed["tasks"]
    before, todo = set(), ["publish"]
    while todo:
        for name in tasks[todo.pop()]["upstream"]:
            # Through the end of the build, which comes whether or not the build succeeded, nothing is sure.
            if name not in before and tasks[name]["trigger_rule"] == "all_success":
                before.add(name)
                todo.append(name)
    models = {name for name in tasks if "." in name}
    assert models
    assert before >= models | {"test_data", "ingest_raw"}


def test_a_failed_build_does_not_stop_what_its_models_repaired(parsed):
    end = parsed["tasks"]["build_ended"]
    assert end["upstream"] == ["dbt_producer_watcher"]
    assert end["trigger_rule"] == "all_done"
