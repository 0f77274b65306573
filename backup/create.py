"""Makes a backup while everything runs: what belongs together is copied while nobody writes to it."""

import logging
import os
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import fsspec
from pydantic import SecretStr

from backup.errors import BackupError
from backup.package import opened_for_writing, suffix, write_package
from backup.unfinished import BACKUP
from publishing.candidate import link_or_copy
from publishing.readers import published_names
from publishing.store import store_of
from settings import Settings
from warehouse import WarehouseError, connect, warehouse_exists

# In the data folder. The others can be made again: dbt's and Cosmos' caches, and logs.
PUBLISHED = "published"
STATE = (PUBLISHED, "dlt", "run_logs", "dbt/builders", "dbt/lineage", "dbt/results")
INPUT = ("landing", "archive", "reports")
AIRFLOW = ("secrets.json", "simple_auth_manager_passwords.json", "migrated")
AIRFLOW_DB = "airflow.db"
# The dumps of databases on a server.
DUMPS = "postgres"
DUMP = ["pg_dump", "--format=custom", "--file"]
METADATA, WAREHOUSE = f"{DUMPS}/airflow.dump", f"{DUMPS}/warehouse.dump"

log = logging.getLogger(__name__)


def create_backup(
    settings: Settings,
    destination: str,
    *,
    keep: int | None = None,
    recipient: str | None = None,
    with_input: bool = True,
    with_databases: bool = True,
) -> str:
    """Write everything that is not code into one file, and return its path or URL.

    That is the warehouse with dlt's state, the versions of all domains, Airflow's database with its keys, and what was
    delivered. Runs that write wait as long as the warehouse file is copied. The file holds secrets: only its owner can
    read it.

    Args:
        settings: the data folder and environment.
        destination: a folder, or a URL such as `s3://bucket/folder`.
        keep: how many backups of this environment stay there, the oldest are removed; None for all.
        recipient: whom to encrypt for: `age1…`, or a key of GnuPG's.
        with_input: also what is in landing, the archive and the reports.
        with_databases: also those on servers, by PostgreSQL's `pg_dump`.

    Raises:
        BackupError: it could not be made.
        WarehouseBusyError: another process kept the warehouse.
    """
    if settings.target == "spark":
        raise BackupError(
            "the tables of Spark are in its lake: copy that folder with the tools of its storage"
        )
    made_at = datetime.now(UTC)
    name = f"sluice-{settings.env}-{made_at:%Y%m%dT%H%M%SZ}.tar{suffix(recipient)}"
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    # In the data folder, where a copy of a file can be a second name for it.
    with tempfile.TemporaryDirectory(prefix=BACKUP, dir=settings.data_dir) as made:
        folder = Path(made)
        try:
            _copy_data(settings, folder, with_databases)
            if with_input:
                for part in INPUT:
                    _copy_tree(settings.data_dir / part, folder / part, share=True)
            _copy_airflow(settings, folder, with_databases)
            facts = {
                "made_at": made_at.isoformat(timespec="seconds"),
                "env": settings.env,
                "target": settings.target,
            }
            url = f"{destination.rstrip('/')}/{name}"
            with opened_for_writing(url, recipient) as target:
                write_package(folder, facts, target)
        except (OSError, subprocess.SubprocessError, sqlite3.Error, WarehouseError) as error:
            raise BackupError(f"the backup could not be made: {error}") from error
    if keep:
        _remove_old(destination, settings.env, keep)
    return url


def _copy_data(settings: Settings, folder: Path, with_databases: bool) -> None:
    """Copy what runs write, while none does; the versions are files that never change."""
    with ExitStack() as locked:
        if warehouse_exists(settings):
            warehouse = locked.enter_context(connect(settings))
            if settings.target == "duckdb":
                warehouse.execute("checkpoint")
                target = folder / "warehouse" / settings.warehouse.name
                target.parent.mkdir()
                # By another process: closing a file releases the locks that this process has on it.
                subprocess.run(
                    ["cp", "--reflink=auto", str(settings.warehouse), str(target)],
                    check=True,
                    capture_output=True,
                )
        if settings.target == "postgres":
            if with_databases:
                dump = folder / WAREHOUSE
                dump.parent.mkdir()
                run_postgres([*DUMP, str(dump)], warehouse_database(settings))
        else:
            for domain in published_names(settings):
                locked.enter_context(store_of(domain, settings).lock())
        for part in STATE:
            _copy_tree(settings.data_dir / part, folder / part, share=part == PUBLISHED)


def _copy_tree(source: Path, target: Path, *, share: bool) -> None:
    """Copy the files of a folder, or give those that are not rewritten in place a second name."""
    for path in sorted(source.rglob("*")):
        new = target / path.relative_to(source)
        new.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # moved meanwhile, as a file that was loaded is
            if path.is_dir():
                new.mkdir(exist_ok=True)
            elif not path.name.endswith(".unfinished"):
                if share:
                    link_or_copy(path, new)
                else:
                    shutil.copy2(path, new)


def _copy_airflow(settings: Settings, folder: Path, with_databases: bool) -> None:
    if settings.deployment:
        if with_databases:
            dump = folder / METADATA
            dump.parent.mkdir(exist_ok=True)
            run_postgres([*DUMP, str(dump)], metadata_database(settings))
        return
    home = settings.airflow_home
    if not (home / AIRFLOW_DB).exists():
        return
    target = folder / "airflow"
    target.mkdir()
    for name in AIRFLOW:
        if (home / name).exists():
            shutil.copy2(home / name, target / name)
    with (
        closing(sqlite3.connect(home / AIRFLOW_DB)) as old,
        closing(sqlite3.connect(target / AIRFLOW_DB)) as new,
    ):
        old.backup(new)


@dataclass(frozen=True)
class Database:
    """A database on a server of PostgreSQL."""

    name: str
    host: str
    port: int
    user: str
    password: SecretStr


def warehouse_database(settings: Settings) -> Database:
    """Return the warehouse of the target `postgres`."""
    server = settings.postgres
    return Database(server.database, server.host, server.port, server.user, server.password)


def metadata_database(settings: Settings) -> Database:
    """Return the database of an Airflow that runs as services."""
    own = settings.deployment
    found = urlsplit(own.metadata_url)
    return Database(
        found.path.lstrip("/"), found.hostname, found.port or 5432, found.username, own.metadata_password
    )


def run_postgres(command: list[str], database: Database) -> None:
    """Run a client of PostgreSQL; the password is in no argument, which others could read.

    Raises:
        BackupError: it is not installed, or fails.
    """
    access = {
        "--host": database.host,
        "--port": str(database.port),
        "--username": database.user,
        "--dbname": database.name,
    }
    options = [word for option in access.items() for word in option]
    try:
        done = subprocess.run(
            [command[0], "--no-password", *options, *command[1:]],
            env={**os.environ, "PGPASSWORD": database.password.get_secret_value()},
            capture_output=True,
            text=True,
        )
    except FileNotFoundError:
        raise BackupError(
            f"{command[0]} is not installed: install PostgreSQL's client, or back up its databases with other tools"
            " (--without-databases)"
        ) from None
    if done.returncode:
        raise BackupError(f"{command[0]}: {done.stderr.strip()[-500:]}")


def _remove_old(destination: str, env: str, keep: int) -> None:
    filesystem, path = fsspec.core.url_to_fs(destination)
    found = sorted(
        each for each in filesystem.glob(f"{path}/sluice-{env}-*.tar*") if not each.endswith(".unfinished")
    )
    for old in found[:-keep]:
        filesystem.rm(old)
        log.info("removed %s", old)
