"""The calls to Airflow's REST API that a run needs."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from observability.health.airflow_api import AirflowApi, AirflowApiError


@dataclass(frozen=True)
class TaskState:
    """The present state of a task of a run, or of one instance of a mapped task."""

    task_id: str
    state: str
    try_number: int
    started: datetime | None
    ended: datetime | None
    map_index: int = -1

    @property
    def name(self) -> str:
        """The task's id, with the index of a mapped instance."""
        return self.task_id if self.map_index < 0 else f"{self.task_id}[{self.map_index}]"

    @property
    def seconds(self) -> float:
        """Seconds of the latest try, up to now if it still runs."""
        return _seconds(self.started, self.ended)


@dataclass(frozen=True)
class RunState:
    """The present state of a DAG run."""

    dag_id: str
    run_id: str
    state: str
    started: datetime | None
    ended: datetime | None
    tasks: dict[str, TaskState] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        """Whether the run has ended."""
        return self.state in ("success", "failed")

    @property
    def seconds(self) -> float:
        """Seconds since the run started, up to now if it still runs."""
        return _seconds(self.started, self.ended)

    @property
    def failed_tasks(self) -> list[TaskState]:
        """Tasks whose last try failed."""
        return [task for task in self.tasks.values() if task.state == "failed"]


class AirflowClient(AirflowApi):
    """A session with the api-server at `url`."""

    def set_pools(self, pools: list[dict]) -> None:
        """Create the pools, or set the slots of those that exist."""
        actions = [{"action": "create", "entities": pools, "action_on_existence": "overwrite"}]
        self.call("PATCH", "/pools", json={"actions": actions})

    def dags(self) -> list[dict]:
        """Return all DAGs that were ever parsed, with their tags and the time of the last parse."""
        return self.call("GET", "/dags", params={"limit": 1000, "exclude_stale": False})["dags"]

    def active_dags(self) -> set[str]:
        """Return the ids of the DAGs that are not paused."""
        found = self.call("GET", "/dags", params={"limit": 1000, "paused": False})["dags"]
        return {dag["dag_id"] for dag in found}

    def parse(self, file_tokens: list[str]) -> None:
        """Parse the DAG files with these tokens before all others."""
        for token in file_tokens:
            # Airflow refuses it if the same file waits to be parsed already.
            with suppress(AirflowApiError):
                self.call("PUT", f"/parseDagFile/{token}")

    def import_errors(self) -> dict[str, str]:
        """Return the stack traces of the files that cannot be parsed, by file name."""
        found = self.call("GET", "/importErrors", params={"limit": 1000})["import_errors"]
        return {error["filename"]: error["stack_trace"] for error in found}

    def trigger(self, dag_id: str, conf: dict | None = None) -> str:
        """Unpause a DAG and start a run of it; return the run's id.

        If a scheduled run is due, as after a pause, this run takes its logical date, so that the scheduler does not
        start a second one. With catch-up, each scheduled run keeps its own interval.
        """
        body = {"logical_date": self._due(dag_id), "conf": conf or {}}
        run = self.call("POST", f"/dags/{dag_id}/dagRuns", json=body)
        self.set_paused(dag_id, paused=False)
        return run["dag_run_id"]

    def set_paused(self, dag_id: str, *, paused: bool) -> None:
        """Pause or unpause a DAG. Airflow schedules nothing of a paused DAG, not even a triggered run."""
        self.call("PATCH", f"/dags/{dag_id}", params={"update_mask": "is_paused"}, json={"is_paused": paused})

    def drop_asset_events(self, dag_id: str) -> None:
        """Drop the asset events that wait for a run of a DAG.

        If the DAG is paused, the scheduler would read the whole DAG for them in each of its loops.
        """
        with suppress(AirflowApiError):  # there are none
            self.call("DELETE", f"/dags/{dag_id}/assets/queuedEvents")

    def _due(self, dag_id: str) -> str | None:
        """Return the logical date of the scheduled run that is due, if another run may take it."""
        dag = self.call("GET", f"/dags/{dag_id}/details")
        due = dag.get("next_dagrun_run_after")
        if dag["catchup"] or not due or datetime.fromisoformat(due) > datetime.now(UTC):
            return None
        logical_date = dag["next_dagrun_logical_date"]
        # The scheduler sees only in its next loop that a run has this date.
        taken = {"logical_date_gte": logical_date, "logical_date_lte": logical_date}
        return (
            None
            if self.call("GET", f"/dags/{dag_id}/dagRuns", params=taken)["total_entries"]
            else logical_date
        )

    def fail_cut_off_runs(self) -> None:
        """Fail the triggered runs that an earlier Airflow left running."""
        cut_off = {"state": ["running"], "run_type": ["manual"]}
        unfinished = self.call("GET", "/dags/~/dagRuns", params=cut_off)
        for run in unfinished["dag_runs"]:
            path = f"/dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}"
            self.call("PATCH", path, params={"update_mask": "state"}, json={"state": "failed"})

    def run_state(self, dag_id: str, run_id: str) -> RunState:
        """Return the state of a run and of all its tasks."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}"
        run = self.call("GET", path)
        found = self.call("GET", f"{path}/taskInstances", params={"limit": 1000})["task_instances"]
        tasks = [
            TaskState(
                task_id=task["task_id"],
                state=task["state"] or "none",
                try_number=task["try_number"],
                started=_time(task["start_date"]),
                ended=_time(task["end_date"]),
                map_index=task["map_index"],
            )
            for task in found
        ]
        return RunState(
            dag_id=dag_id,
            run_id=run_id,
            state=run["state"],
            started=_time(run["start_date"]),
            ended=_time(run["end_date"]),
            tasks={task.name: task for task in tasks},
        )

    def error_lines(self, run: RunState, task: TaskState, limit: int = 15) -> list[str]:
        """Return the errors of a failed task's log, or its last lines."""
        path = f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task.task_id}/logs/{task.try_number}"
        which = {"full_content": True, "map_index": task.map_index}
        entries = self.call("GET", path, params=which)["content"]
        entries = [entry for entry in entries if isinstance(entry, dict)]
        errors = [entry for entry in entries if entry.get("level") in ("error", "critical")] or entries
        lines: list[str] = []
        for entry in errors:
            lines += str(entry.get("event", "")).splitlines()
            for detail in entry.get("error_detail") or []:
                lines.append(f"{detail.get('exc_type')}: {detail.get('exc_value')}")
        return lines[-limit:]


def _seconds(started: datetime | None, ended: datetime | None) -> float:
    return ((ended or datetime.now(UTC)) - started).total_seconds() if started else 0.0


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
