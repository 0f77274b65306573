"""What is the sales DAG's own."""

from tests.dags.parsing import run

# Whether the triggerer can make the trigger that the DAG names, and with what.
TRIGGER = """
import json, sys
sys.path.insert(0, "dags")
from sales import ARRIVALS
sys.path.remove("dags")
from airflow.sdk.module_loading import import_string
classpath, kwargs = ARRIVALS[0].watchers[0].trigger.serialize()
made = import_string(classpath)(**kwargs)
print("RESULT" + json.dumps([made.serialize() == (classpath, kwargs), kwargs]))
"""


# What the trigger says of files that come one after the other, while one is being written all the time.
WATCH = """
import asyncio, json, sys, threading
from pathlib import Path
from dags import landing_trigger
from dags.landing_trigger import LandingTrigger

landing_trigger.POKE_SECONDS = 0.05
folder = Path(sys.argv[1]) / "landing"
stop = threading.Event()

def drop(name, text):
    (folder / name).write_text(text)
    (folder / f"{name}.done").touch()

def write():
    with (folder / "slow.csv").open("w") as file:
        while not stop.wait(0.05):
            file.write("more")
            file.flush()

async def watch():
    events = LandingTrigger(str(folder), file_stable_seconds=1.0).run()
    first = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0.3)  # the folder is not there
    folder.mkdir()
    (folder / "notes.txt").touch()
    drop("a.csv", "1")
    yield await first
    drop("b.csv", "1")
    yield await anext(events)
    drop("a.csv", "new content")
    yield await anext(events)
    writer = threading.Thread(target=write)
    writer.start()
    drop("c.csv", "1")
    yield await anext(events)  # it does not wait for slow.csv for ever
    stop.set()
    writer.join()
    yield await anext(events)
    (folder / "a.csv").unlink()
    await asyncio.sleep(0)
    drop("d.csv", "1")
    yield await anext(events)

async def main():
    return [event.payload["files"] async for event in watch()]

print("RESULT" + json.dumps(asyncio.run(asyncio.wait_for(main(), 60))))
"""


def test_each_file_is_loaded_apart_from_the_others_and_the_catalogue_once(two_parses):
    parsed, _ = two_parses("sales")
    tasks = parsed["tasks"]
    assert tasks["ingest_sales"]["upstream"] == tasks["ingest_products"]["upstream"] == ["files"]
    assert tasks["files_loaded"]["upstream"] == ["ingest_products", "ingest_sales"]
    assert tasks["files_loaded"]["trigger_rule"] == "all_done"
    assert parsed["catchup"] is False


def test_the_trigger_tells_once_of_each_content_that_is_complete(environment, tmp_path):
    told = run(WATCH, environment, str(tmp_path))
    assert told == [["a.csv"], ["b.csv"], ["a.csv"], ["c.csv"], ["slow.csv"], ["d.csv"]]


def test_it_runs_when_files_have_arrived(environment):
    can_be_made, kwargs = run(TRIGGER, environment, SLUICE_FILE_STABLE_SECONDS="5")
    assert can_be_made
    assert kwargs["file_stable_seconds"] == 5
    assert kwargs["folder"].endswith("/landing/sales")


def test_it_runs_by_the_clock_where_there_is_one(two_parses, other_schedules, no_schedules):
    assert two_parses("sales")[0]["schedule"] == "*/30 * * * *"
    assert other_schedules["sales"]["schedule"] == "15 * * * *"
    assert no_schedules["sales"]["schedule"] is None
    assert no_schedules["sales"]["tasks"]
