"""Puts a domain's marts where readers look: `published/<domain>.duckdb`, whole or not at all."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

import settings as settings_module
from ingestion.warehouse import connect
from operations.dbt import ensure_manifest
from operations.whole_file import whole_file
from settings import Settings

SCHEMA = "marts"
# Of the rows read, how many may be in quarantine where the domain's accounting mart says nothing.
QUARANTINE_LIMIT = 0.05
LIMIT_KEY = "quarantine_limit"
RULES_NAMED = 5
# Of a mart that has a view a month (see the macro month_views), for people who know a table a month.
MONTH_VIEWS_KEY = "month_views"
MONTH_VIEWS_SCHEMA = "monthly"


class PublishError(RuntimeError):
    """Nothing was published; what was published before is as it was."""


@dataclass(frozen=True)
class QuarantineShare:
    """How much of what was read is in quarantine, and how much may be (both from 0 to 1).

    `accepted` says that it is more than may be and was published all the same.
    """

    rows_quarantined: int
    rows_read: int
    share: float
    limit: float
    accepted: bool = False


@dataclass(frozen=True)
class Publication:
    """What was published: the file, the rows of each table in it, and what stayed in quarantine."""

    domain: str
    path: Path
    rows: dict[str, int]
    quarantine: QuarantineShare

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values."""
        return asdict(self) | {"path": str(self.path)}


def publish(domain: str, settings: Settings | None = None, *, accept_quarantine: bool = False) -> Publication:
    """Copy a domain's marts from the working warehouse to its published file, see `whole_file`.

    Run it after the domain's tests have passed. It refuses if too many of the rows read are in
    quarantine: more than the share `config: meta: {quarantine_limit: …}` in the YAML of the domain's
    accounting mart, `agg_<domain>_rows_by_file`, or else `QUARANTINE_LIMIT`.

    Args:
        domain: the domain, as in `models/marts/<domain>`.
        settings: defaults to those of the environment.
        accept_quarantine: publish however many rows are in quarantine.

    Raises:
        PublishError: the domain has no marts or no accounting mart, one of them has not been built, the
            limit is no number from 0 to 1, or too many rows are in quarantine.
        WarehouseBusyError: another process kept the warehouse.
    """
    settings = settings or settings_module.load()
    marts = _marts(domain, settings)
    limit = _quarantine_limit(domain, marts)
    target = settings.published(domain)
    target.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(target) as candidate, connect(settings) as warehouse:
        quarantine = _check_quarantine(warehouse, domain, limit, accept=accept_quarantine)
        rows = _copy(warehouse, marts, candidate)
    return Publication(domain, target, rows, quarantine)


def _marts(domain: str, settings: Settings) -> dict[str, dict[str, Any]]:
    """Names and manifest nodes of the tables that a domain publishes: its own marts and the shared ones."""
    ensure_manifest(settings)
    nodes = json.loads(settings.manifest.read_text())["nodes"].values()
    marts = [node for node in nodes if node["resource_type"] == "model" and node["schema"] == SCHEMA]
    if not any(domain in node["tags"] for node in marts):
        raise PublishError(f"there is no mart with the tag {domain!r}")
    return {node["alias"]: node for node in marts if {domain, "shared"} & set(node["tags"])}


def _quarantine_limit(domain: str, marts: dict[str, dict[str, Any]]) -> float:
    accounting = _accounting_mart(domain)
    if accounting not in marts:
        raise PublishError(f"there is no mart {accounting}, which says how many rows are in quarantine")
    limit = marts[accounting]["config"].get("meta", {}).get(LIMIT_KEY, QUARANTINE_LIMIT)
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not 0 <= limit <= 1:
        raise PublishError(
            f"{LIMIT_KEY} in config.meta of the model {accounting} must be a number from 0 to 1, not {limit!r}"
        )
    return float(limit)


def _check_quarantine(
    warehouse: duckdb.DuckDBPyConnection, domain: str, limit: float, *, accept: bool
) -> QuarantineShare:
    accounting = _accounting_mart(domain)
    sums = "select coalesce(sum(rows_quarantined), 0)::bigint, coalesce(sum(rows_read), 0)::bigint"
    try:
        quarantined, read = warehouse.execute(f"{sums} from {SCHEMA}.{accounting}").fetchone()
    except duckdb.CatalogException as error:
        raise PublishError(f"{SCHEMA}.{accounting} has not been built") from error
    share = quarantined / read if read else 0.0
    if share > limit and not accept:
        raise PublishError(
            f"{quarantined:,} of {read:,} rows read are in quarantine: {share:.2%}, and the limit is {limit:.2%}. "
            f"Broken most: {_most_broken(warehouse, domain)}. "
            f"To see them: python -m operations quarantine {domain} --export FILE.csv. "
            f"To publish all the same: python -m operations publish {domain} --accept-quarantine"
        )
    return QuarantineShare(quarantined, read, share, limit, accepted=share > limit)


def _most_broken(warehouse: duckdb.DuckDBPyConnection, domain: str) -> str:
    """The rules that most rows break, with their numbers of rows."""
    prefix = f"quarantine_{domain}__"
    tables = warehouse.execute(
        "select table_name from information_schema.tables"
        " where table_schema = 'clean' and starts_with(table_name, ?) order by table_name",
        [prefix],
    ).fetchall()
    counts: list[tuple[int, str, str]] = []
    for (table,) in tables:
        counts += warehouse.execute(
            f"""
            select count(*), ?, rule
            from (select unnest(string_split(broken_rules, ',')) as rule from clean.{table}) group by rule
            """,
            [table.removeprefix(prefix)],
        ).fetchall()
    counts.sort(key=lambda count: (-count[0], *count[1:]))
    return ", ".join(f"{entity}.{rule} ({rows:,})" for rows, entity, rule in counts[:RULES_NAMED])


def _accounting_mart(domain: str) -> str:
    return f"agg_{domain}_rows_by_file"


def _copy(
    warehouse: duckdb.DuckDBPyConnection, marts: dict[str, dict[str, Any]], candidate: Path
) -> dict[str, int]:
    rows = {}
    warehouse.execute(f"attach '{candidate}' as candidate")
    warehouse.execute(f"create schema candidate.{SCHEMA}")
    for table in sorted(marts):
        try:
            warehouse.execute(f"create table candidate.{SCHEMA}.{table} as from {SCHEMA}.{table}")
        except duckdb.CatalogException as error:
            raise PublishError(f"{SCHEMA}.{table} has not been built") from error
        rows[table] = warehouse.execute(f"select count(*) from candidate.{SCHEMA}.{table}").fetchone()[0]
    if any(mart["config"].get("meta", {}).get(MONTH_VIEWS_KEY) for mart in marts.values()):
        _copy_month_views(warehouse, rows)
    warehouse.execute("checkpoint candidate")
    warehouse.execute("detach candidate")
    return rows


def _copy_month_views(warehouse: duckdb.DuckDBPyConnection, tables: Iterable[str]) -> None:
    """Make the views of these tables anew; they name their table without its database, so the text will do."""
    views = warehouse.execute(
        "select sql from duckdb_views() where database_name = current_database() and schema_name = ?",
        [MONTH_VIEWS_SCHEMA],
    ).fetchall()
    database = warehouse.execute("select current_database()").fetchone()[0]
    warehouse.execute("use candidate")
    warehouse.execute(f"create schema {MONTH_VIEWS_SCHEMA}")
    for (sql,) in views:
        if any(f" FROM {SCHEMA}.{table} " in sql for table in tables):
            warehouse.execute(sql)
    warehouse.execute(f'use "{database}"')
