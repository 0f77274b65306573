"""An asset for a landing folder, and the trigger that watches it in the triggerer."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from airflow.sdk import Asset, AssetWatcher
from airflow.triggers.base import BaseEventTrigger, TriggerEvent

import settings
from ingestion.files.delivery import delivery_name
from ingestion.files.landing import Watch, list_deliveries, version_of

POKE_SECONDS = 2.0


def landing_asset(domain: str) -> Asset:
    """Return the asset that is updated when files in a domain's landing folder are complete."""
    found = settings.load()
    trigger = LandingTrigger(str(found.landing(domain)), found.file_stable_seconds)
    return Asset(
        f"sluice://landing/{domain}", watchers=[AssetWatcher(name=f"landing_{domain}", trigger=trigger)]
    )


class LandingTrigger(BaseEventTrigger):
    """Fire when files in a landing folder are complete, once per content of each file.

    Files that arrive together make one event: while others are being written, the trigger waits for them, but not longer
    than a file must be unchanged to be complete. After a restart it fires for all files in the folder.

    Args:
        folder: the landing folder.
        file_stable_seconds: how long a file must be unchanged to be complete.
    """

    def __init__(self, folder: str, file_stable_seconds: float) -> None:
        super().__init__()
        self.folder = folder
        self.file_stable_seconds = file_stable_seconds
        self._watch = Watch(file_stable_seconds)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class and arguments from which the triggerer makes the trigger."""
        # By its path from the project's folder: the triggerer does not have dags/ on its path.
        kwargs = {"folder": self.folder, "file_stable_seconds": self.file_stable_seconds}
        return ("dags.landing_trigger.LandingTrigger", kwargs)

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll the folder, and yield an event for new files."""
        told: dict[str, Any] = {}
        waiting_since: float | None = None
        while True:
            try:
                complete, writing = await asyncio.to_thread(self._look)
            except OSError as error:
                # An exception would end the trigger.
                self.log.warning("%s cannot be read: %s", self.folder, error)
                complete, writing = told, False
            new = sorted(name for name, state in complete.items() if told.get(name) != state)
            if new:
                waiting_since = waiting_since or time.monotonic()
            if new and (not writing or time.monotonic() - waiting_since >= self.file_stable_seconds):
                yield TriggerEvent({"files": new})
                told, waiting_since = complete, None
            elif not new:
                told = complete
            await asyncio.sleep(POKE_SECONDS)

    def _look(self) -> tuple[dict[str, Any], bool]:
        """Return the complete files, each with a value that changes with its content, and whether there are others."""
        folder = Path(self.folder)
        files = list_deliveries(folder) if folder.is_dir() else []
        # Names that can be stored: an event with any other name would end the triggerer.
        complete = {delivery_name(path): version_of(path) for path in files if self._watch.is_complete(path)}
        return complete, len(complete) < len(files)
