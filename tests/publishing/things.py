"""A domain `things` with three marts, without dbt: its warehouse and its manifest."""

import json
from pathlib import Path
from typing import Any

import duckdb

from settings import Settings
from warehouse import connect


def write_manifest(
    settings: Settings,
    meta: dict[str, Any] | None = None,
    group: dict[str, Any] | None = None,
    columns: dict[str, Any] | None = None,
    **config: Any,
) -> None:
    """Write a manifest with `meta` of the accounting mart and of the group, and columns and configuration of the fact."""
    marts = {
        "fct_things": ["things"],
        "audit_things__row_counts": ["things"],
        "dim_dates": ["shared"],
        "fct_others": ["others"],
    }
    model = {"resource_type": "model", "schema": "marts", "config": {"meta": {}}}
    nodes = {name: model | {"alias": name, "tags": tags} for name, tags in marts.items()}
    nodes["audit_things__row_counts"]["config"] = {"meta": meta or {}}
    groups = {"things": {"name": "things", "owner": {"name": "Ann"}, "config": {"meta": group or {}}}}
    nodes["fct_things"] |= {"config": {"meta": {}, **config}, "columns": columns or {}}
    settings.manifest.parent.mkdir(parents=True, exist_ok=True)
    # Replaced, not edited: versions link the one that they were published with.
    copy = settings.manifest.with_suffix(".new")
    copy.write_text(
        json.dumps({"metadata": {"invocation_id": "an-invocation"}, "nodes": nodes, "groups": groups})
    )
    copy.replace(settings.manifest)


def build(settings: Settings) -> None:
    """Create the marts, with 1 of 20 rows in quarantine."""
    with connect(settings) as warehouse:
        warehouse.execute("create schema marts")
        warehouse.execute("create table marts.fct_things as select range as id from range(3)")
        warehouse.execute("create table marts.dim_dates as select date '2022-01-01' as date_day")
        warehouse.execute(
            "create table marts.audit_things__row_counts as select * from "
            "(values ('big', 'a.csv', 12, 1), ('big', 'b.csv', 6, 0), ('small', 'c.csv', 2, 0)) "
            "as files (entity, source_file, rows_read, rows_quarantined)"
        )


MONTHLY = {"materialized": "incremental", "unique_key": "month"}


def build_months(settings: Settings, months: int, rows: int) -> None:
    """Create the marts with a fact of so many rows per month, each with an amount of 1."""
    write_manifest(settings, **MONTHLY)
    build(settings)
    with connect(settings) as warehouse:
        warehouse.execute(
            f"create or replace table marts.fct_things as"
            f" select (range + month * {rows}) as id, (date '2022-01-01' + to_months(month::integer))::date as month,"
            " 1.0::decimal(18, 2) as amount, md5(range::text) as words"
            f" from range({months}) as months (month), range({rows})"
        )


def execute(settings: Settings, *statements: str) -> None:
    """Run statements in the warehouse."""
    with connect(settings) as warehouse:
        for statement in statements:
            warehouse.execute(statement)


def names(settings: Settings) -> list[str]:
    """Return the names of all files with data: versions, and what was left behind."""
    folder = settings.published("things").parent
    found = {path.name for path in folder.rglob("*") if path.is_file()}
    return sorted(
        name
        for name in found - {"things.duckdb", "versions.json", ".lock"}
        if not name.endswith(".manifest.json")
    )


def query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    """Query a published file."""
    with duckdb.connect(str(path), read_only=True) as published:
        return published.execute(sql).fetchall()
