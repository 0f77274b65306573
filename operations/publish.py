"""Puts a domain's marts where readers look: `published/<domain>.duckdb`, whole or not at all."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

import settings as settings_module
from ingestion.warehouse import connect
from operations.dbt import ensure_manifest
from settings import Settings

SCHEMA = "marts"


class PublishError(RuntimeError):
    """Nothing was published; what was published before is as it was."""


@dataclass(frozen=True)
class Publication:
    """What was published: the file and the rows of each table in it."""

    domain: str
    path: Path
    rows: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values."""
        return asdict(self) | {"path": str(self.path)}


def publish(domain: str, settings: Settings | None = None) -> Publication:
    """Copy a domain's marts from the working warehouse to its published file.

    The copy is made in a new file beside the published one, brought safely to disk, and takes its
    place by one rename: a reader who has the old file open keeps it whole, the next one to open
    finds the new one. Run it after the domain's tests have passed.

    Args:
        domain: the domain, as in `models/marts/<domain>`.
        settings: defaults to those of the environment.

    Raises:
        PublishError: the domain has no marts, or one of them has not been built.
        WarehouseBusyError: another process kept the warehouse.
    """
    settings = settings or settings_module.load()
    tables = mart_tables(domain, settings)
    target = settings.published(domain)
    target.parent.mkdir(parents=True, exist_ok=True)
    candidate = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with connect(settings) as warehouse:
            rows = _copy(warehouse, tables, candidate)
        _sync(candidate)
        candidate.replace(target)
        _sync(target.parent)
    finally:
        for left in (candidate, candidate.with_name(candidate.name + ".wal")):
            left.unlink(missing_ok=True)
    return Publication(domain, target, rows)


def mart_tables(domain: str, settings: Settings) -> list[str]:
    """Names of the tables that a domain publishes: its own marts and the shared ones.

    Raises:
        PublishError: dbt knows no mart of this domain.
        DbtError: dbt refuses the project.
    """
    ensure_manifest(settings)
    nodes = json.loads(settings.manifest.read_text())["nodes"].values()
    marts = [node for node in nodes if node["resource_type"] == "model" and node["schema"] == SCHEMA]
    if not any(domain in node["tags"] for node in marts):
        raise PublishError(f"there is no mart with the tag {domain!r}")
    return sorted(node["alias"] for node in marts if {domain, "shared"} & set(node["tags"]))


def _copy(warehouse: duckdb.DuckDBPyConnection, tables: list[str], candidate: Path) -> dict[str, int]:
    rows = {}
    warehouse.execute(f"attach '{candidate}' as candidate")
    warehouse.execute(f"create schema candidate.{SCHEMA}")
    for table in tables:
        try:
            warehouse.execute(f"create table candidate.{SCHEMA}.{table} as from {SCHEMA}.{table}")
        except duckdb.CatalogException as error:
            raise PublishError(f"{SCHEMA}.{table} has not been built") from error
        rows[table] = warehouse.execute(f"select count(*) from candidate.{SCHEMA}.{table}").fetchone()[0]
    warehouse.execute("checkpoint candidate")
    warehouse.execute("detach candidate")
    return rows


def _sync(path: Path) -> None:
    """Bring a file's content, or a folder's entries, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
