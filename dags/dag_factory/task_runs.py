"""What the steps of a run are told of Airflow's run, and what their errors mean for the state of a task."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from cosmos.constants import PRODUCER_WATCHER_TASK_ID

import settings
from dag_factory.dbt import rebuild_months

if TYPE_CHECKING:
    from orchestration.tasks import TaskRun


def task_run(domain: str, context: Mapping[str, Any]) -> "TaskRun":
    """Return the run that a task belongs to, from the task's context."""
    from orchestration.tasks import TaskRun

    run_id, dag_run, dag, ti = context["run_id"], context["dag_run"], context["dag"], context["ti"]
    is_manual = dag_run.run_type == "manual"
    return TaskRun(
        domain,
        run_id,
        settings.load(),
        context["params"],
        interval=None if is_manual else context.get("data_interval_start"),
        is_scheduled=dag_run.run_type == "scheduled",
        start=dag.start_date.date() if dag.catchup else None,
        failed=lambda: _failed_tasks(ti, run_id),
        page=f"{conf.get('api', 'base_url').rstrip('/')}/dags/{domain}/runs/{quote(run_id)}",
        started_by=getattr(dag_run, "triggering_user_name", None) if is_manual else None,
        rebuild_months=rebuild_months(context["params"], dag_run),
        max_parts=conf.getint("core", "max_map_length"),
    )


def _failed_tasks(ti: Any, run_id: str) -> list[str]:
    """Return the failed tasks of a run; a failed build is named by its models, not by the producer."""
    states = ti.get_task_states(dag_id=ti.dag_id, run_ids=[run_id])[run_id]
    return sorted(
        name for name, state in states.items() if state == "failed" and name != PRODUCER_WATCHER_TASK_ID
    )


@contextmanager
def as_task_states() -> Iterator[None]:
    """Skip a task that has nothing to do, and do not retry what would fail again."""
    from orchestration.tasks import FINAL, NOTHING_TO_DO

    try:
        yield
    except NOTHING_TO_DO as error:
        raise AirflowSkipException(error) from error
    except FINAL as error:
        raise AirflowFailException(error) from error
