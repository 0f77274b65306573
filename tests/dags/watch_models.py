"""Program: print what a model's task says of a build that ends without its model."""

import importlib
import json
import sys
from copy import deepcopy
from types import SimpleNamespace

from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.exceptions import AirflowFailException

from settings import PROJECT_DIR

sys.path.insert(0, str(PROJECT_DIR / "dags"))
dag = DagBag(PROJECT_DIR / "dags" / "collisions.py").dags["collisions"]
watch = importlib.import_module("dag_factory.model_task").watch
MODEL = "models.clean.collisions.clean_collisions__crashes"


def told(
    producer_state: str, try_number: int = 1, unchanged: tuple[str, ...] = (), **node: str
) -> str | bool:
    task = deepcopy(dag.get_task(MODEL))
    task.extra_context = {"dbt_node_config": task.extra_context["dbt_node_config"] | node}
    task.build_and_run_cmd = lambda *_, **__: None
    found = dict.fromkeys(("models", "tests"), ()) | {"everything": False, "marts": "", "stamp": ""}
    found["unchanged"] = unchanged
    ti = SimpleNamespace(try_number=try_number, xcom_pull=lambda **_: found)
    context = {"task": task, "ti": ti, "dag": dag, "run_id": "r"}
    try:
        watch(context)
        if try_number > 1:
            return task.poke(context)
        return task._handle_no_dbt_node_status(producer_state, try_number, context)
    except AirflowFailException as error:
        return str(error)


gone = {"unique_id": "model.sluice.gone", "name": "gone"}
answer = {
    "running": told("running"),
    "ended without it": told("success"),
    "cleared": told("success", unchanged=("model.sluice.clean_collisions__crashes",)),
    "no file": told("running", original_file_path="models/gone.sql"),
    "failed without it": told("failed", **gone),
    "retried": told("failed", 2, **gone),
}
print("RESULT" + json.dumps(answer))
