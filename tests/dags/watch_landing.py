"""Program: print what the trigger of a landing folder reports while files arrive one after the other, as JSON."""

import asyncio
import json
import os
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

from dags import landing_trigger
from dags.landing_trigger import LandingTrigger

landing_trigger.POKE_SECONDS = 0.05
folder = Path(sys.argv[1]) / "landing"
stop = threading.Event()


def drop(name: str, text: str) -> None:
    (folder / name).write_text(text)
    (folder / f"{name}.done").touch()


def write() -> None:
    """Write to one file all the time."""
    with (folder / "slow.csv").open("w") as file:
        while not stop.wait(0.05):
            file.write("more")
            file.flush()


async def watch() -> AsyncIterator:
    events = LandingTrigger(str(folder), file_stable_seconds=1.0).run()
    first = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0.3)  # the folder is not there
    folder.mkdir()
    (folder / "notes.part").touch()
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
    # A name that is not UTF-8, and a time that lies ahead.
    drop(os.fsdecode(b"caf\xe9.csv"), "1")
    yield await anext(events)
    (folder / "ahead.csv").touch()
    os.utime(folder / "ahead.csv", (4e9, 4e9))
    yield await anext(events)


async def main() -> list[list[str]]:
    return [event.payload["files"] async for event in watch()]


print("RESULT" + json.dumps(asyncio.run(asyncio.wait_for(main(), 60))))
