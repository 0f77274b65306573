"""`python -m bench.turns DOMAIN bare dag …`: dbt commands and DAG runs of a domain, beside one started Airflow.

`bench.dag_against_build` runs it in a copy of the checkout; it prints one JSON object a turn.
"""

import json
import os
import signal
import sys
import time

from bench.measuring import cpu_of_tree, peak_of
from local_airflow.client import RunState
from local_airflow.local import LocalAirflow
from settings import Settings, load
from transformation.dbt import UNIT_TESTS, run_dbt, selectors

TIMEOUT = 1800
COMMANDS = {
    "bare": [["build", "--exclude", UNIT_TESTS]],
    "models": [["build", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"]],
    # In the order of the DAG: every model stands before the first test starts.
    "parts": [
        ["build", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"],
        ["test", "--exclude", UNIT_TESTS],
    ],
}


def main(domain: str, *turns: str) -> None:
    """Take the turns in order, with Airflow started once; raises if one of them fails."""
    settings = load()
    with LocalAirflow(settings) as airflow:
        for turn in turns:
            if turn == "dag":
                before = cpu_of_tree()
                with peak_of(os.getpid()) as peak:
                    result = describe(airflow.run_dag(domain, timeout=TIMEOUT))
                result["peak_mb"] = peak.mb
                result["cpu_seconds"] = cpu_of_tree() - before
            else:
                result = {"seconds": sum(dbt(command, domain, settings) for command in COMMANDS[turn])}
            line = json.dumps({"turn": turn, **result})
            print(line, flush=True)


def dbt(command: list[str], domain: str, settings: Settings) -> float:
    """Seconds of one dbt command as a process of its own."""
    begun = time.perf_counter()
    run_dbt([*command, "--select", *selectors(domain)], settings, quiet=True)
    return time.perf_counter() - begun


def describe(run: RunState) -> dict:
    """Seconds of a whole run and of its dbt part, its model tasks, and the tasks tried more than once."""
    if run.state != "success":
        raise RuntimeError(f"the DAG run failed: {[task.task_id for task in run.failed_tasks]}")
    # The tasks of models and seeds, alone, are in task groups.
    models = [task for name, task in run.tasks.items() if "." in name]
    producer, tests = run.tasks["dbt_producer_watcher"], run.tasks["test_data"]
    return {
        "seconds": run.seconds,
        "build_seconds": (max(task.ended for task in [producer, *models]) - producer.started).total_seconds(),
        "test_seconds": tests.seconds,
        "models": len(models),
        "retried": {name: task.try_number for name, task in run.tasks.items() if task.try_number > 1},
    }


if __name__ == "__main__":
    # The way out of an error, which stops Airflow.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    main(*sys.argv[1:])
