"""The folders in the data folder that backups and restores are made in."""

import shutil
import time
from pathlib import Path

# How their names begin.
BACKUP, RESTORE = ".backup-", ".restore-"
# One that is a day old was left by a killed process.
LEFT_SECONDS = 86_400


def remove_unfinished(data_dir: Path) -> None:
    """Remove the folders that killed processes have left."""
    for name in (BACKUP, RESTORE):
        for path in data_dir.glob(f"{name}*"):
            if path.stat().st_mtime < time.time() - LEFT_SECONDS:
                shutil.rmtree(path)
