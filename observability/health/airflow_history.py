"""The history of DAGs, runs and tasks from Airflow's REST API, as rows for `raw_ops`."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx

from observability.health.airflow_api import AirflowApi, AirflowApiError
from observability.metrics.ops_store import OpsTable
from settings import Settings

# The clocks of the processes that write to Airflow's database differ by less.
OVERLAP = timedelta(minutes=5)
_TEXT, _NUMBER, _TIME = "text", "bigint", "timestamp"
_TIMES = {"queued_at": _TIME, "started_at": _TIME, "ended_at": _TIME}
PIPELINES = OpsTable(
    "airflow_pipelines",
    {"pipeline": _TEXT, "description": _TEXT, "schedule": _TEXT, "is_paused": "bool", "tags": _TEXT},
    ("pipeline",),
)
RUNS = OpsTable(
    "airflow_runs",
    {"pipeline": _TEXT, "run_id": _TEXT, "run_type": _TEXT, "state": _TEXT, **_TIMES},
    ("pipeline", "run_id"),
)
_TASK = {"task": _TEXT, "map_index": _NUMBER, "state": _TEXT, "tries": _NUMBER, "operator": _TEXT}
TASKS = OpsTable(
    "airflow_tasks",
    {"pipeline": _TEXT, "run_id": _TEXT, **_TASK, "pool": _TEXT, **_TIMES},
    ("pipeline", "run_id", "task", "map_index"),
)
# The fields of the API for columns with another name.
_PIPELINE_FIELDS = {"pipeline": "dag_id", "schedule": "timetable_summary"}
_RUN_FIELDS = {
    "pipeline": "dag_id",
    "run_id": "dag_run_id",
    "started_at": "start_date",
    "ended_at": "end_date",
}
_TASK_FIELDS = _RUN_FIELDS | {
    "task": "task_id",
    "tries": "try_number",
    "operator": "operator_name",
    "queued_at": "queued_when",
}


def read_history(settings: Settings, since: datetime | None) -> dict[str, list[dict[str, Any]]]:
    """Read all pipelines, and the runs and tasks that changed; return the rows by table.

    Args:
        settings: address and login of Airflow.
        since: the newest time in the rows of earlier calls; None for everything.

    Raises:
        AirflowApiError: no Airflow is configured, it cannot be reached, or it responds with an error.
    """
    access = settings.airflow
    if access is None:
        raise AirflowApiError(
            "SLUICE_AIRFLOW_URL is not set; `sluice airflow exec …` sets it to the local Airflow"
        )
    changed = {"updated_at_gte": (since - OVERLAP).isoformat()} if since else {}
    params = changed | {"order_by": "id"}
    try:
        with AirflowApi(access.url, access.username, access.password.get_secret_value()) as api:
            dags = api.pages("/dags", "dags", {"order_by": "dag_id"})
            runs = api.pages("/dags/~/dagRuns", "dag_runs", params)
            tasks = api.pages("/dags/~/dagRuns/~/taskInstances", "task_instances", params)
            return {
                PIPELINES.name: _rows(dags, PIPELINES, _PIPELINE_FIELDS),
                RUNS.name: _rows(runs, RUNS, _RUN_FIELDS),
                TASKS.name: _rows(tasks, TASKS, _TASK_FIELDS),
            }
    except httpx.HTTPError as error:
        raise AirflowApiError(f"{access.url} cannot be reached: {type(error).__name__}") from error


def _rows(
    entries: Iterable[dict[str, Any]], table: OpsTable, fields: Mapping[str, str]
) -> list[dict[str, Any]]:
    return [
        {column: _value(kind, entry[fields.get(column, column)]) for column, kind in table.columns.items()}
        for entry in entries
    ]


def _value(kind: str, value: Any) -> Any:
    if kind == _TIME:
        return datetime.fromisoformat(value) if value else None
    return ",".join(sorted(tag["name"] for tag in value)) if isinstance(value, list) else value
