"""Compares the marts that several targets build from the same input, value by value.

Each target builds in a separate data folder within the data folder, PostgreSQL in a separate database, Spark on a server
that is started with an empty catalog. So nothing that exists is touched, and all of it is removed afterwards.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from common.file_lock import FileLockedError, file_lock
from publishing.data_diff import DataDiff, TableDiff
from publishing.errors import PublishError
from publishing.marts import SCHEMA, marts_of
from publishing.readers import NotPublishedError, open_published
from publishing.table_stats import STAMPS
from settings import PROJECT_DIR, Settings
from warehouse import quoted, temporary_warehouse

# Columns with the time of a load, a build or a validation, which differs between two builds.
MOMENTS = frozenset({*STAMPS, "_dlt_load_id", "loaded_at", "_loaded_at", "enriched_at"})
INTEGERS = {f"{sign}{size}INT" for sign in ("", "U") for size in ("TINY", "SMALL", "BIG", "HUGE")}
INTEGERS |= {"INTEGER", "UINTEGER"}
LOCK_SECONDS = 5.0
LOAD = '"_dlt_load_id":'


class EngineDiffError(RuntimeError):
    """The targets could not be compared; the message says why."""


@dataclass(frozen=True)
class EngineDiff:
    """The differences of a domain's marts between two targets."""

    domain: str
    targets: tuple[str, str]
    tables: tuple[TableDiff, ...]

    @property
    def is_equal(self) -> bool:
        return not any(table.differs for table in self.tables)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"is_equal": self.is_equal}

    def markdown(self) -> str:
        differing = [table for table in self.tables if table.differs]
        rows = sum(table.rows[0] or 0 for table in self.tables)
        title = f"## {self.domain}: {self.targets[0]} and {self.targets[1]}\n\n"
        title += f"{len(self.tables)} marts with {rows:,} rows: {len(differing) or 'none'} of them differ."
        return "\n\n".join([title, *(table.markdown() for table in differing)])


def compare_targets(domains: Sequence[str], targets: Sequence[str], settings: Settings) -> list[EngineDiff]:
    """Build domains from the same input on each target, and compare the others with the first one.

    Args:
        domains: their input is what lies in the landing folder and the archive.
        targets: two or more of dbt's targets; their servers come from the environment.
        settings: which data folder and environment.

    Raises:
        EngineDiffError: a target could not be built, or there is no input.
        SettingsError: a variable of a target is missing.
    """
    if len(targets) < 2 or len(set(targets)) < len(targets):
        raise EngineDiffError(f"name two or more different targets, not {', '.join(targets) or 'none'}")
    folder = settings.data_dir / "compare_targets"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with file_lock(folder / ".lock", LOCK_SECONDS), ExitStack() as held:
            sides = [held.enter_context(_target(target, settings, folder / "work")) for target in targets]
            return [found for domain in domains for found in _compare(domain, sides, settings)]
    except FileLockedError as error:
        raise EngineDiffError(f"another comparison is running: {error}") from error


def _compare(domain: str, sides: Sequence[Settings], settings: Settings) -> Iterator[EngineDiff]:
    for side in sides:
        _copy_input(domain, settings, side)
        _build(domain, side)
        if side is not sides[0]:
            yield compare_published(domain, sides[0], side)


def compare_published(domain: str, one: Settings, other: Settings) -> EngineDiff:
    """Compare what is published of a domain on two targets, by the keys in the manifest of the first one.

    Raises:
        EngineDiffError: the domain has no marts, or is not published on both.
    """
    sides = (one.target, other.target)
    with duckdb.connect(config={"memory_limit": one.memory_limit}) as connection:
        try:
            marts = marts_of(domain, one.manifest)
            for side in (one, other):
                _copy_published(domain, side, connection)
        except (PublishError, NotPublishedError) as error:
            raise EngineDiffError(f"{domain} cannot be compared: {error}") from error
        databases = [f"_{side}" for side in sides]
        data_diff = DataDiff(connection, *databases, type_of=type_family, ignored=MOMENTS, sides=sides)
        tables = [data_diff.compare(mart) for mart in marts.values()]
    return EngineDiff(domain, sides, tuple(tables))


def type_family(kind: str) -> str:
    """Return a type without its size: engines have different sizes of numbers."""
    kind = kind.upper()
    if kind.startswith("DECIMAL"):
        scale = kind.rstrip(")").rpartition(",")[2]
        return "integer" if scale == "0" else f"decimal of scale {scale}"
    if kind in INTEGERS:
        return "integer"
    if kind.startswith("TIMESTAMP"):
        return "timestamp"
    return {"VARCHAR": "text", "FLOAT": "floating point", "DOUBLE": "floating point"}.get(kind, kind.lower())


@contextmanager
def _target(target: str, settings: Settings, folder: Path) -> Iterator[Settings]:
    """Yield settings of a target with a separate folder and database, which are removed afterwards."""
    own = folder / target
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir(parents=True)
    values: dict[str, Any] = {"env": settings.env, "target": target, "data_dir": own}
    where = Settings(**values)
    try:
        with temporary_warehouse(where, "compare") as where:
            yield where
    finally:
        shutil.rmtree(own, ignore_errors=True)


def _copy_input(domain: str, settings: Settings, where: Settings) -> None:
    """Copy a domain's input, also what was loaded and archived before."""
    files = [*settings.landing(domain).glob("[!.]*"), *settings.archive(domain).glob("*/[!.]*")]
    # Imported here, because the import of dlt is slow.
    from ingestion.registry import apis_in_use

    landing = where.landing(domain)
    landing.mkdir(parents=True)
    for file in files:
        if file.is_file():
            shutil.copy2(file, landing / file.name)
    if not any(landing.iterdir()) and not any(api.api_url for api in apis_in_use()):
        raise EngineDiffError(f"no input for {domain} in {settings.landing(domain)}")


def _build(domain: str, where: Settings) -> None:
    # A comparison calls no paid model and sends no notifications.
    variables = {
        name: text
        for name, text in {**os.environ, **where.environment()}.items()
        if not name.startswith(("SLUICE_NOTIFY_", "SLUICE_SMTP_"))
    }
    done = subprocess.run(
        [sys.executable, "-m", "cli", "run", domain, "--force-publish"],
        cwd=PROJECT_DIR,
        env={**variables, "SLUICE_ENRICH_PROVIDER": "local"},
        capture_output=True,
        text=True,
    )
    # 1: a step failed that the marts do not need.
    if done.returncode not in (0, 1):
        last = "\n".join(f"{done.stdout}{done.stderr}".strip().splitlines()[-40:])
        raise EngineDiffError(f"{domain} could not be built on {where.target}:\n{last}")


def _copy_published(domain: str, where: Settings, connection: duckdb.DuckDBPyConnection) -> None:
    """Copy what a target has published into a database in memory, named after the target."""
    database = quoted(f"_{where.target}")
    connection.execute(f"attach ':memory:' as {database}")
    connection.execute(f"create schema {database}.{SCHEMA}")
    with open_published(domain, where) as published:
        for table in published.tables():
            rows = published.execute(f"from {SCHEMA}.{quoted(table)}").to_arrow_table()
            relation = f"{database}.{SCHEMA}.{quoted(table)}"
            connection.register("published_rows", rows)
            connection.execute(f"create table {relation} as from published_rows")
            connection.unregister("published_rows")
            for column in rows.schema:
                if column.type in (pa.string(), pa.large_string()):
                    _clear_load_ids(connection, relation, quoted(column.name))


def _clear_load_ids(connection: duckdb.DuckDBPyConnection, relation: str, column: str) -> None:
    """Clear the load ids in JSON texts: each load has another id."""
    connection.execute(
        f"update {relation} set {column} = regexp_replace({column}, $load, $none, 'g') where contains({column}, $key)",
        {"load": f'{LOAD}"[^"]*"', "none": f'{LOAD}""', "key": LOAD},
    )


def describe(found: Sequence[EngineDiff]) -> str:
    return "\n\n".join(each.markdown() for each in found)
