"""What has to be done now and then: old logs go, the warehouse gives back space, old versions go."""

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from backup.unfinished import remove_unfinished
from publishing.manage import prune
from publishing.readers import published_names
from settings import Settings
from warehouse.compact import compact

# Days that logs are kept.
LOG_DAYS = 30


@dataclass(frozen=True)
class Cleaned:
    """What was removed: log files, versions by domain, and bytes of the warehouse file."""

    logs: int
    versions: dict[str, list[str]]
    bytes: int

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        gone = sum(map(len, self.versions.values()))
        return f"removed {self.logs} log files and {gone} versions; the warehouse gave back {self.bytes / 1e6:,.0f} MB"


def clean_up(settings: Settings, *, log_days: int = LOG_DAYS) -> Cleaned:
    """Remove old logs of Airflow and dbt, versions beyond those that are kept, and what killed backups left.

    A warehouse file of which more than half is free is written again. Runs that write wait meanwhile.

    Raises:
        WarehouseBusyError: another process kept the warehouse.
        PublishError: another process kept the versions of a domain.
    """
    logs = _remove_logs(settings.airflow_home / "logs", log_days) + _remove_logs(
        settings.dbt_target.parent / "logs", log_days
    )
    remove_unfinished(settings.data_dir)
    versions = {
        domain: removed
        for domain in published_names(settings)
        if (removed := prune(domain, settings=settings))
    }
    return Cleaned(logs, versions, compact(settings))


def _remove_logs(folder: Path, days: int) -> int:
    """Remove the files of a folder that nobody has written to for so many days, and the folders that this empties."""
    before = time.time() - days * 86_400
    removed = 0
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_symlink():
            continue
        if path.is_file() and path.stat().st_mtime < before:
            path.unlink()
            removed += 1
        elif path.is_dir() and path.stat().st_mtime < before and not any(path.iterdir()):
            path.rmdir()
    return removed
