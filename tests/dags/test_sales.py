"""What is the sales DAG's own."""

import json
import subprocess
import sys

import settings
from tests.dags.parsing import parse

# How the DAG is scheduled, and whether the triggerer can make the trigger that the DAG names.
SCHEDULE = """
import json, sys
sys.path.insert(0, "dags")
from sales import ARRIVALS, dag
sys.path.remove("dags")
from airflow.sdk.module_loading import import_string
classpath, kwargs = ARRIVALS[0].watchers[0].trigger.serialize()
made = import_string(classpath)(**kwargs)
cron = getattr(getattr(dag.timetable, "timetable", None), "expression", None)
print("RESULT" + json.dumps([cron, made.serialize() == (classpath, kwargs), kwargs]))
"""


def scheduled(environment, **more):
    done = subprocess.run(
        [sys.executable, "-c", SCHEDULE],
        env={**environment, **more},
        cwd=settings.PROJECT_DIR,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.rpartition("RESULT")[2])


def test_each_file_is_loaded_apart_from_the_others_and_the_catalogue_once(two_parses):
    parsed, _ = two_parses("sales")
    tasks = parsed["tasks"]
    assert tasks["ingest_sales"]["upstream"] == tasks["ingest_products"]["upstream"] == ["files"]
    assert tasks["files_loaded"]["upstream"] == ["ingest_products", "ingest_sales"]
    assert tasks["files_loaded"]["trigger_rule"] == "all_done"
    assert parsed["catchup"] is False


def test_it_runs_when_files_have_arrived_and_by_the_clock_where_there_is_one(environment):
    cron, can_be_made, kwargs = scheduled(environment, SLUICE_ENV="prod", SLUICE_STILL_SECONDS="5")
    assert (cron, can_be_made) == ("*/30 * * * *", True)
    assert kwargs["still_seconds"] == 5
    assert kwargs["folder"].endswith("/landing/sales")
    assert scheduled(environment, SLUICE_SCHEDULE_SALES="15 * * * *")[0] == "15 * * * *"
    assert scheduled(environment, SLUICE_SCHEDULE_SALES="none")[:2] == [None, True]
    assert parse("sales", environment, SLUICE_SCHEDULE_SALES="none")["tasks"]
