"""The health of the pipelines as data: collected into `raw_ops`, modelled by dbt, published as `health`.

It consists of Airflow's runs and tasks, dbt's results, dlt's loads and the published versions; the runs themselves
record their metrics, see `observability.metrics.record`. Each collection reads only what is new.
"""

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from dlt.extract import DltResource

from observability.health import airflow_history, publications
from observability.health.airflow_api import ApiError
from observability.health.alerts import Alert, tell
from observability.metrics import dbt_results, record
from observability.metrics.dbt_results import results_kept
from observability.metrics.journal import shell_run_id
from observability.metrics.ops_store import OPS, SCHEMA, merged, write
from publishing.publish import Publication, publish
from settings import Settings
from transformation.dbt import UNIT_TESTS, ensure_manifest, run_dbt
from warehouse import Warehouse, connect, domain_lock

DOMAIN = "health"
OVERVIEW = "overview"

_DBT_RESULTS = {
    "pipeline": "text",
    "run_id": "text",
    "invocation_id": "text",
    "unique_id": "text",
    "tested_model": "text",
    "status": "text",
    "started_at": "timestamp",
    "ended_at": "timestamp",
    "seconds": "double",
    "failures": "bigint",
    "rows_affected": "bigint",
    "message": "text",
}
_LOADS = {
    "pipeline": "text",
    "load_id": "text",
    "status": "bigint",
    "loaded_at": "timestamp",
    "files": "bigint",
    "rows_read": "bigint",
    "rows_loaded": "bigint",
    "rows_rejected": "bigint",
    "bytes": "bigint",
}


@dataclass(frozen=True)
class Collected:
    """Numbers of new or changed rows by table; what was left out, and why.

    Attributes:
        rows: the numbers.
        without_airflow: why Airflow could not be asked; None if it was.
        unread: the domains whose published file cannot be read, with the reason.
    """

    rows: dict[str, int]
    without_airflow: str | None = None
    unread: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values."""
        return asdict(self)


def health(settings: Settings) -> tuple[Collected, Publication, list[Alert]]:
    """Collect, build, publish and tell people of alerts, in this order. Raises what these raise."""
    run_id = shell_run_id()
    collected = collect(settings)
    publication = build(DOMAIN, settings, run_id)
    return collected, publication, tell(settings)


def overview(settings: Settings, run_id: str | None = None) -> Publication:
    """Build and publish the marts over all domains, from what the domains publish.

    Args:
        settings: which data folder and environment.
        run_id: the run that this is part of; a new one if not given.

    Raises:
        MetricsError: dlt could not write; what was published stands.
        DbtError, PublishError, WarehouseBusyError: see `build`.
    """
    collect_days(settings)
    return build(OVERVIEW, settings, run_id or shell_run_id())


def collect_days(settings: Settings) -> None:
    """Bring what is published of each day's loads into `raw_ops`, in place of what was known of these domains.

    Of a domain whose published file cannot be read, what was known stays; the log says which.

    Raises:
        MetricsError: dlt could not write; nothing is lost.
        WarehouseBusyError: another process kept the warehouse.
    """
    with connect(settings, OPS) as warehouse:
        write(warehouse, settings, [_days(publications.days(settings, {}))])


def _days(rows: list[dict[str, Any]]) -> DltResource:
    return merged("published_days", rows, publications.DAYS, ("domain", "day"), replaces="domain")


def collect(settings: Settings) -> Collected:
    """Bring what is new about runs, tasks, models, tests, loads and publications into `raw_ops`; safe to repeat.

    Where no Airflow answers, or a published file cannot be read, everything else is collected.

    Raises:
        MetricsError: dlt could not write; nothing is lost.
        DbtError: there are results of dbt to collect, and dbt refuses its project.
        WarehouseBusyError: another process kept the warehouse.
    """
    with connect(settings, OPS) as warehouse:
        since = _newest_of_airflow(warehouse)
    without_airflow = None
    airflow: dict[str, list[dict[str, Any]]] = {"pipelines": [], "runs": [], "tasks": []}
    # Not while the warehouse is held: tasks that wait for it make Airflow slow to answer.
    try:
        airflow = airflow_history.history(settings, since)
    except ApiError as error:
        without_airflow = str(error)
    unread: dict[str, str] = {}
    files = sorted(settings.dbt_results.glob("[!.]*.json"))
    rows = {
        "dbt_results": _with_tested_models(
            settings, [row for file in files for row in dbt_results.read(file)]
        ),
        "costs": publications.costs(settings, unread),
    }
    with connect(settings, OPS) as warehouse:
        rows["loads"] = _new_loads(warehouse)
        rows["publications"] = publications.publications(settings, _last_publications(warehouse), unread)
        write(
            warehouse,
            settings,
            [
                *record.resources([], []),
                merged("airflow_pipelines", airflow["pipelines"], airflow_history.PIPELINES, ("pipeline",)),
                merged("airflow_runs", airflow["runs"], airflow_history.RUNS, ("pipeline", "run_id")),
                merged(
                    "airflow_tasks",
                    airflow["tasks"],
                    airflow_history.TASKS,
                    ("pipeline", "run_id", "task", "map_index"),
                ),
                merged("dbt_results", rows["dbt_results"], _DBT_RESULTS, ("invocation_id", "unique_id")),
                merged("loads", rows["loads"], _LOADS, ("pipeline", "load_id")),
                merged(
                    "publications",
                    rows["publications"],
                    publications.PUBLICATIONS,
                    ("pipeline", "published_at"),
                ),
                merged("costs", rows["costs"], publications.COSTS, ("pipeline", "day")),
                _days([]),
            ],
        )
    for file in files:
        file.unlink()
    counts = {name: len(found) for name, found in (airflow | rows).items()}
    return Collected(counts, without_airflow, unread)


def build(domain: str, settings: Settings, run_id: str) -> Publication:
    """Build and test the marts `health` or `overview`, and publish them.

    Raises:
        DbtError: a model or a test failed; the published version stays.
        PublishError, WarehouseBusyError: see `publishing.publish`.
    """
    with domain_lock(settings, domain), results_kept(domain, run_id, settings) as variables:
        select = ["--select", f"tag:{domain}", "tag:shared", "--exclude", UNIT_TESTS]
        run_dbt(["build", *select], settings, quiet=True, variables=variables)
    # Such figures rise and fall all the time; nobody needs to accept that.
    publication = publish(domain, settings, run_id=run_id, accept=True)
    # With about a hundred versions a day, nobody needs their comparisons once they are gone.
    for version in publication.pruned:
        for report in settings.reports(domain).glob(f"diff_{version}.*"):
            report.unlink()
    return publication


def _newest_of_airflow(warehouse: Warehouse) -> datetime | None:
    """The newest time in the runs collected so far; whatever changes from now on has a later one."""
    if not warehouse.columns(SCHEMA, "airflow_runs"):
        return None
    times = "max(greatest(queued_at, started_at, ended_at))"
    return warehouse.execute(f"select {times} from {SCHEMA}.airflow_runs").fetchone()[0]


def _last_publications(warehouse: Warehouse) -> list[tuple[str, datetime]]:
    """The version of each domain that was collected last."""
    if "collected_at" not in warehouse.columns(SCHEMA, "publications"):
        return []
    # Those collected before there was this column are the older ones.
    newest = "partition by pipeline order by coalesce(collected_at, published_at) desc"
    return warehouse.execute(
        "select pipeline, published_at from"
        f" (select *, row_number() over ({newest}) as place from {SCHEMA}.publications) as collected"
        " where place = 1"
    ).fetchall()


def _new_loads(warehouse: Warehouse) -> list[dict[str, Any]]:
    """Packages that dlt has loaded for the domains since the last collection, and what they brought."""
    known = (
        f"select load_id from {SCHEMA}.loads"
        if warehouse.columns(SCHEMA, "loads")
        else "select null where false"
    )
    schemas = warehouse.execute(
        "select table_schema from information_schema.tables where table_name = '_dlt_loads'"
        " and starts_with(table_schema, 'raw_') and right(table_schema, 8) <> '_staging'"
        " and table_schema <> ? order by table_schema",
        [SCHEMA],
    ).fetchall()
    rows = []
    for (schema,) in schemas:
        brought = "null::bigint as files, null::bigint, null::bigint, null::bigint, null::bigint"
        joined = ""
        if {"_dlt_load_id", "rows_read", "bytes"} <= set(warehouse.columns(schema, "file_loads")):
            counts = ("rows_read", "rows_loaded", "rows_rejected", "bytes")
            brought = (
                f"count(files._dlt_load_id), {', '.join(f'sum(files.{count})::bigint' for count in counts)}"
            )
            joined = f"left join {schema}.file_loads as files on loads.load_id = files._dlt_load_id"
        found = warehouse.execute(
            f"""
            select ?, loads.load_id, loads.status, loads.inserted_at, {brought}
            from {schema}._dlt_loads as loads {joined}
            where loads.load_id not in ({known}) group by loads.load_id, loads.status, loads.inserted_at
            order by loads.load_id
            """,
            [schema.removeprefix("raw_")],
        )
        rows += [dict(zip(_LOADS, row, strict=True)) for row in found.fetchall()]
    return rows


def _with_tested_models(settings: Settings, results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Results with the model that each test is for; None for other nodes, and for tests of several models."""
    if not results:
        return []
    ensure_manifest(settings)
    nodes = json.loads(settings.manifest.read_text())["nodes"]
    tested = {key: (node.get("attached_node") or "").rpartition(".")[2] for key, node in nodes.items()}
    return [row | {"tested_model": tested.get(row["unique_id"]) or None} for row in results]
