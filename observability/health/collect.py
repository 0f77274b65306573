"""The health of the pipelines as data: collected into `raw_ops`, modelled by dbt, published as `health`.

It consists of Airflow's runs and tasks, dbt's results, dlt's loads and the published versions; runs record their own
metrics, see `observability.metrics.record`. Each collection reads only what is new.
"""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from observability.health import airflow_history, publications
from observability.health.airflow_api import AirflowApiError
from observability.health.alerts import Alert, send_alerts
from observability.health.publications import COSTS, DAYS, PUBLICATIONS
from observability.metrics.dbt_results import keep_results, read_results
from observability.metrics.ops_store import OPS, SCHEMA, OpsTable, write_resources
from observability.metrics.record import RUNS, STAGES
from observability.metrics.run_log import shell_run_id
from publishing.publish import Publication, publish
from settings import Settings
from transformation.changes import find_changes, record_built
from transformation.dbt import RUN_VARIABLE, ensure_manifest, run_dbt
from transformation.manifest import read_manifest
from warehouse import Warehouse, connect, domain_lock

DOMAIN = "health"
OVERVIEW = "overview"

DBT_RESULTS = OpsTable(
    "dbt_results",
    {
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
    },
    ("invocation_id", "unique_id"),
)
_COUNTS = {"rows_read": "bigint", "rows_loaded": "bigint", "rows_rejected": "bigint", "bytes": "bigint"}
LOADS = OpsTable(
    "loads",
    {"pipeline": "text", "load_id": "text", "status": "bigint", "loaded_at": "timestamp", "files": "bigint"}
    | _COUNTS,
    ("pipeline", "load_id"),
)
# All that health needs, so that its models find their tables even before anything is collected.
TABLES = (
    RUNS,
    STAGES,
    airflow_history.PIPELINES,
    airflow_history.RUNS,
    airflow_history.TASKS,
    DBT_RESULTS,
    LOADS,
    PUBLICATIONS,
    COSTS,
    DAYS,
)


@dataclass(frozen=True)
class Collected:
    """What was collected.

    Attributes:
        rows: numbers of new or changed rows by table.
        airflow_error: why Airflow's history could not be read; None if it was.
        unreadable: the domains whose published file cannot be read, with the reason.
    """

    rows: dict[str, int]
    airflow_error: str | None = None
    unreadable: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values."""
        return asdict(self)


def health(settings: Settings) -> tuple[Collected, Publication, list[Alert]]:
    """Collect, build, publish and send alerts, in this order. Raises what these raise."""
    run_id = shell_run_id()
    collected = collect(settings)
    publication = build(DOMAIN, settings, run_id)
    ensure_manifest(settings)
    return collected, publication, send_alerts(settings)


def overview(settings: Settings, run_id: str | None = None) -> Publication:
    """Build and publish the marts over all domains, from what the domains publish.

    Args:
        settings: which data folder and environment.
        run_id: the run that this is part of; defaults to a new one.

    Raises:
        MetricsError: dlt could not write; what is published stays.
        DbtError, PublishError, WarehouseBusyError: see `build`.
    """
    collect_days(settings)
    return build(OVERVIEW, settings, run_id or shell_run_id())


def collect_days(settings: Settings) -> None:
    """Write the published row counts of each day into `raw_ops`, replacing those of these domains.

    If the published file of a domain cannot be read, its earlier counts stay and a warning is logged.

    Raises:
        MetricsError: dlt could not write; nothing is lost.
        WarehouseBusyError: another process kept the warehouse.
    """
    with connect(settings, OPS) as warehouse:
        write_resources(warehouse, settings, [DAYS.resource(publications.days(settings, {}))])


def collect(settings: Settings) -> Collected:
    """Write what is new about runs, tasks, models, tests, loads and publications into `raw_ops`; safe to repeat.

    If Airflow cannot be reached or a published file cannot be read, everything else is collected.

    Raises:
        MetricsError: dlt could not write; nothing is lost.
        DbtError: there are results of dbt to collect, but dbt cannot parse the project.
        WarehouseBusyError: another process kept the warehouse.
    """
    with connect(settings, OPS) as warehouse:
        since = _newest_of_airflow(warehouse)
    rows: dict[str, list[dict[str, Any]]] = {}
    airflow_error = None
    # Not while the warehouse is held: Airflow is slow while its tasks wait for the warehouse.
    try:
        rows |= airflow_history.read_history(settings, since)
    except AirflowApiError as error:
        airflow_error = str(error)
    unreadable: dict[str, str] = {}
    files = sorted(settings.dbt_results.glob("[!.]*.json"))
    results = [row for file in files for row in read_results(file)]
    rows[DBT_RESULTS.name] = _with_tested_models(settings, results)
    rows[COSTS.name] = publications.costs(settings, unreadable)
    with connect(settings, OPS) as warehouse:
        rows[LOADS.name] = _new_loads(warehouse)
        known = _last_publications(warehouse)
        rows[PUBLICATIONS.name] = publications.publications(settings, known, unreadable)
        write_resources(warehouse, settings, [table.resource(rows.get(table.name, [])) for table in TABLES])
    for file in files:
        file.unlink()
    counts = {name: len(found) for name, found in rows.items()}
    return Collected(counts, airflow_error, unreadable)


def build(domain: str, settings: Settings, run_id: str) -> Publication:
    """Build and test the marts `health` or `overview`, and publish them.

    Raises:
        DbtError: a model or a test failed; the published version stays.
        PublishError, WarehouseBusyError: see `publishing.publish`.
    """
    changes = find_changes(domain, settings)
    if changes.any:
        with domain_lock(settings, domain), keep_results(domain, run_id, settings) as variables:
            variables = {RUN_VARIABLE: run_id, **variables}
            run_dbt(["build", *changes.selection()], settings, quiet=True, variables=variables)
        record_built(domain, run_id, changes, settings)
    # These metrics rise and fall all the time, so the gate would stop them for no reason.
    publication = publish(domain, settings, run_id=run_id, accept=True)
    # About a hundred versions per day would leave as many reports.
    for version in publication.pruned:
        for report in settings.reports(domain).glob(f"diff_{version}.*"):
            report.unlink()
    return publication


def _newest_of_airflow(warehouse: Warehouse) -> datetime | None:
    """Return the newest time in the runs collected so far; later changes have a later one."""
    if not warehouse.columns(SCHEMA, "airflow_runs"):
        return None
    times = "max(greatest(queued_at, started_at, ended_at))"
    ((newest,),) = warehouse.execute(f"select {times} from {SCHEMA}.airflow_runs").fetchall()
    return newest


def _last_publications(warehouse: Warehouse) -> list[tuple[str, datetime]]:
    """Return the version of each domain that was collected last."""
    if not warehouse.columns(SCHEMA, "publications"):
        return []
    newest = "row_number() over (partition by pipeline order by collected_at desc) as place"
    return warehouse.execute(
        f"select pipeline, published_at from (select *, {newest} from {SCHEMA}.publications) as collected"
        " where place = 1"
    ).fetchall()


def _new_loads(warehouse: Warehouse) -> list[dict[str, Any]]:
    """Return the packages that dlt has loaded for the domains since the last collection, with their row counts."""
    known = f"select load_id from {SCHEMA}.loads"
    if not warehouse.columns(SCHEMA, LOADS.name):
        known = "select null where false"
    schemas = warehouse.execute(
        "select table_schema from information_schema.tables where table_name = '_dlt_loads'"
        " and starts_with(table_schema, 'raw_') and right(table_schema, 8) <> '_staging'"
        " and table_schema <> ? order by table_schema",
        [SCHEMA],
    ).fetchall()
    rows = []
    for (schema,) in schemas:
        counts = ", ".join(["null::bigint"] * (1 + len(_COUNTS)))
        joined = ""
        if {"_dlt_load_id", "rows_read", "bytes"} <= set(warehouse.columns(schema, "file_loads")):
            sums = (f"sum(files.{count})::bigint" for count in _COUNTS)
            counts = f"count(files._dlt_load_id), {', '.join(sums)}"
            joined = f"left join {schema}.file_loads as files on loads.load_id = files._dlt_load_id"
        found = warehouse.execute(
            f"""
            select ?, loads.load_id, loads.status, loads.inserted_at, {counts}
            from {schema}._dlt_loads as loads {joined}
            where loads.load_id not in ({known}) group by loads.load_id, loads.status, loads.inserted_at
            order by loads.load_id
            """,
            [schema.removeprefix("raw_")],
        )
        rows += [dict(zip(LOADS.columns, row, strict=True)) for row in found.fetchall()]
    return rows


def _with_tested_models(settings: Settings, results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add the model that each test is for; None for other nodes, and for tests of several models."""
    if not results:
        return []
    ensure_manifest(settings)
    manifest = read_manifest(settings.manifest)
    return [row | {"tested_model": manifest.tested_model(row["unique_id"])} for row in results]
