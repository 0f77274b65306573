"""Restores a backup into a data folder without data, or only checks it."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from backup.create import DUMPS, METADATA, WAREHOUSE, metadata_database, run_postgres, warehouse_database
from backup.errors import BackupError
from backup.package import opened_for_reading, read_package
from backup.unfinished import RESTORE as RESTORE_FOLDER
from settings import Settings

RESTORE = ["pg_restore", "--clean", "--if-exists", "--no-owner", "--exit-on-error", "--single-transaction"]


def verify_backup(source: str, *, identity: str | None = None) -> dict[str, Any]:
    """Read a backup as a whole, and return what it says of itself.

    Raises:
        BackupError: it is cut off, changed or none, or cannot be decrypted.
    """
    with tempfile.TemporaryDirectory() as made, opened_for_reading(source, identity) as package:
        return read_package(package, Path(made))


def restore_backup(settings: Settings, source: str, *, identity: str | None = None) -> dict[str, Any]:
    """Restore a backup, once all of it has been read and found complete; return what it says of itself.

    Args:
        settings: the data folder and environment; nothing may be published or loaded there.
        source: path or URL of the backup.
        identity: the file with the key of age that decrypts it.

    Raises:
        BackupError: there is data already, the backup is of another environment or target, or it is not complete.
    """
    _check_empty(settings)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix=RESTORE_FOLDER, dir=settings.data_dir) as made,
        opened_for_reading(source, identity) as package,
    ):
        folder = Path(made)
        facts = read_package(package, folder)
        own = {"env": settings.env, "target": settings.target}
        if other := {name: facts[name] for name, value in own.items() if facts[name] != value}:
            told = ", ".join(f"{name} {value}" for name, value in other.items())
            raise BackupError(f"it is a backup of {told}; set SLUICE_ENV and SLUICE_TARGET to that")
        _restore_databases(settings, folder)
        for path in sorted(folder.iterdir()):
            _move(path, settings.data_dir / path.name)
    return facts


def _check_empty(settings: Settings) -> None:
    full = [settings.warehouse, *(settings.data_dir / "published").glob("*.duckdb")]
    if found := [path for path in full if path.exists()]:
        raise BackupError(
            f"{found[0]} exists: restore into an empty data folder (SLUICE_DATA_DIR), or move this one away"
        )


def _restore_databases(settings: Settings, folder: Path) -> None:
    if (dump := folder / WAREHOUSE).exists():
        run_postgres([*RESTORE, str(dump)], warehouse_database(settings))
    if (dump := folder / METADATA).exists():
        if not settings.deployment:
            raise BackupError("it has Airflow's database of a deployment: set SLUICE_METADATA_URL")
        run_postgres([*RESTORE, str(dump)], metadata_database(settings))
    shutil.rmtree(folder / DUMPS, ignore_errors=True)


def _move(source: Path, target: Path) -> None:
    """Move a folder, or its content into the folder that is there."""
    if not target.exists():
        source.rename(target)
    elif source.is_dir():
        for path in sorted(source.iterdir()):
            _move(path, target / path.name)
    else:
        source.replace(target)
