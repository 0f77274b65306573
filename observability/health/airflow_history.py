"""The history of DAGs, runs and tasks from Airflow's REST API, as rows for `raw_ops`."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx

from observability.health.airflow_api import AirflowApi, AirflowApiError
from settings import Settings

PIPELINES = {
    "pipeline": "text",
    "description": "text",
    "schedule": "text",
    "is_paused": "bool",
    "tags": "text",
}
RUNS = {
    "pipeline": "text",
    "run_id": "text",
    "run_type": "text",
    "state": "text",
    "queued_at": "timestamp",
    "started_at": "timestamp",
    "ended_at": "timestamp",
}
TASKS = {
    "pipeline": "text",
    "run_id": "text",
    "task": "text",
    "map_index": "bigint",
    "state": "text",
    "tries": "bigint",
    "operator": "text",
    "pool": "text",
    "queued_at": "timestamp",
    "started_at": "timestamp",
    "ended_at": "timestamp",
}
# The clocks of the processes that write to Airflow's database differ by less.
OVERLAP = timedelta(minutes=5)


def read_history(settings: Settings, since: datetime | None) -> dict[str, list[dict[str, Any]]]:
    """Read all pipelines, and the runs and tasks that changed.

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
    try:
        with AirflowApi(access.url, access.username, access.password.get_secret_value()) as api:
            return {
                "pipelines": list(_pipelines(api)),
                "runs": list(_runs(api, changed)),
                "tasks": list(_tasks(api, changed)),
            }
    except httpx.HTTPError as error:
        raise AirflowApiError(f"{access.url} cannot be reached: {type(error).__name__}") from error


def _pipelines(api: AirflowApi) -> Iterator[dict[str, Any]]:
    for dag in api.pages("/dags", "dags", {"order_by": "dag_id"}):
        yield {
            "pipeline": dag["dag_id"],
            "description": dag["description"],
            "schedule": dag["timetable_summary"],
            "is_paused": dag["is_paused"],
            "tags": ",".join(sorted(tag["name"] for tag in dag["tags"])),
        }


def _runs(api: AirflowApi, changed: dict[str, str]) -> Iterator[dict[str, Any]]:
    for run in api.pages("/dags/~/dagRuns", "dag_runs", changed | {"order_by": "id"}):
        yield {
            "pipeline": run["dag_id"],
            "run_id": run["dag_run_id"],
            "run_type": run["run_type"],
            "state": run["state"],
            **_times(run, "queued_at"),
        }


def _tasks(api: AirflowApi, changed: dict[str, str]) -> Iterator[dict[str, Any]]:
    path = "/dags/~/dagRuns/~/taskInstances"
    for task in api.pages(path, "task_instances", changed | {"order_by": "id"}):
        yield {
            "pipeline": task["dag_id"],
            "run_id": task["dag_run_id"],
            "task": task["task_id"],
            "map_index": task["map_index"],
            "state": task["state"],
            "tries": task["try_number"],
            "operator": task["operator_name"],
            "pool": task["pool"],
            **_times(task, "queued_when"),
        }


def _times(entry: dict[str, Any], queued: str) -> dict[str, datetime | None]:
    names = {"queued_at": queued, "started_at": "start_date", "ended_at": "end_date"}
    return {name: datetime.fromisoformat(entry[key]) if entry[key] else None for name, key in names.items()}
