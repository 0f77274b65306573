"""What the DAGs of all domains share: retries, parameters, pools, and how Cosmos shows the dbt models.

DuckDB lets one process write, so one `dbt build` (the producer) builds a domain's models and seeds, and
every model is a task that watches it. A model that failed is built again by its own task; the data
tests run when every model stands.

The tasks around the models are in `domain_tasks.py`.
"""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import (
    DAG,
    Asset,
    AsyncCallback,
    BaseOperator,
    DeadlineAlert,
    DeadlineReference,
    Param,
    TaskGroup,
    get_parsing_context,
)
from cosmos.airflow.graph import create_task_metadata
from cosmos.config import ExecutionConfig, ProfileConfig, ProjectConfig, RenderConfig
from cosmos.constants import (
    PRODUCER_WATCHER_TASK_ID,
    DbtResourceType,
    ExecutionMode,
    InvocationMode,
    LoadMode,
    TestBehavior,
)
from cosmos.converter import DbtToAirflowConverter
from cosmos.core.airflow import get_airflow_task
from cosmos.dbt.graph import DbtNode
from cosmos.operators.local import DbtTestLocalOperator

import settings
from observability.health.alert_rules import alert_rules_for
from observability.metrics.dbt_results import save_results
from observability.metrics.run_log import mark_repaired, stage
from transformation.build_owner import record_build_owner
from transformation.dbt import REBUILD_VARIABLE, UNIT_TESTS, selectors

WAREHOUSE_WRITER = "warehouse_writer"
POKE_SECONDS = 1
# Who waits for the warehouse: a run that has begun goes on before another one begins. So no domain's models
# are due, and watched, long before its build has its turn. (A watching task has 2.)
PRIORITY = {"health": 5, "ingest": 10, "build": 20, "test": 30, "publish": 40, "record": 50}

PARAMS = {
    "full_refresh": Param(False, type="boolean", description="Build every incremental model from scratch."),
    "years": Param([], type="array", items={"type": "integer"}, description="Years to rebuild."),
    "accept": Param(
        False,
        type="boolean",
        description="Publish whatever is in quarantine and however much differs from what is published.",
    ),
}
# Of a DAG whose files are months.
MONTHS = {
    "months": Param(
        [],
        type="array",
        items={"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$"},
        description="Months of a manual run, as 2024-05; without any, all that are in landing.",
    )
}
# Periods to rebuild: the years of a manual run, the month of a backfill run, else none.
REBUILD = (
    "{{ params.years | join(',') or"
    " (dag_run.logical_date.strftime('%Y-%m') if dag_run.run_type == 'backfill' else '') }}"
)
# The task group of each folder of dbt's project.
GROUPS = {
    "seeds": "load_seeds",
    "models/clean": "transform_clean",
    "models/curated": "transform_curated",
    "models/marts": "model_analytics",
}
RENDERED = (DbtResourceType.MODEL, DbtResourceType.SEED)

# The name of dbt's work in a run's metrics, which do not know of tasks.
BUILD, TEST = "build", "test"

_SETTINGS = settings.load()
# A model below a failed one fails with it and is retried after it, level by level: a short first delay
# keeps such a chain short.
RETRIES = {
    "retries": _SETTINGS.retries,
    "retry_delay": timedelta(seconds=5),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=5),
}
# The folder above dbt's target: all DAGs, and dbt in a shell, share what one of them has parsed, which takes 5 s.
PARSED = _SETTINGS.dbt_target.parent
_PROFILE = ProfileConfig(
    profile_name=settings.DBT_PROFILE,
    target_name=_SETTINGS.target,
    profiles_yml_filepath=settings.PROJECT_DIR / "profiles.yml",
)


def published(domain: str) -> Asset:
    """The asset that a domain's publish updates; other DAGs may be scheduled on it."""
    return Asset(f"sluice://published/{domain}")


def schedule(domain: str, default: str | None) -> str | None:
    """The schedule of a domain's DAG in this environment, which may replace the default."""
    return _SETTINGS.schedule(domain, default)


def start(domain: str, default: date) -> datetime:
    """The day from which a domain's DAG has runs in this environment, which may replace the default."""
    return datetime.combine(_SETTINGS.start(domain, default), time(), tzinfo=UTC)


def deadline(domain: str) -> list[DeadlineAlert]:
    """The alert about a run that has not ended in time, while it still goes on; none if `alerts.yml` has no deadline."""
    hours = alert_rules_for(domain, _SETTINGS).deadline_hours
    if hours is None:
        return []
    late = AsyncCallback(
        "observability.health.late_run.notify_late_run", {"pipeline": domain, "hours": hours}
    )
    return [DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, timedelta(hours=hours), late)]


def common(
    domain: str, doc: str, params: dict[str, Param] = PARAMS, kind: str = "pipeline"
) -> dict[str, Any]:
    """Arguments of a DAG that are the same for all: one run at a time, retries, deadline, parameters, texts."""
    return {
        "dag_id": domain,
        "max_active_runs": 1,
        "default_args": RETRIES,
        "deadline": deadline(domain),
        "params": params,
        "tags": [kind, domain],
        "doc_md": doc,
    }


def waiting(what: str) -> dict[str, str | int]:
    """Arguments of a task that writes to the warehouse: it waits for its turn, see `PRIORITY`."""
    return {"pool": WAREHOUSE_WRITER, "priority_weight": PRIORITY[what], "weight_rule": "absolute"}


def dbt_tasks(dag: DAG, domain: str) -> tuple[list[BaseOperator], BaseOperator]:
    """Add a domain's dbt models, seeds and tests to the DAG.

    Returns:
        The tasks that come first, and the one that comes last: the data tests, which run when every
        model stands.
    """
    select = selectors(domain)
    dbt = {
        "env": {REBUILD_VARIABLE: REBUILD},
        "invocation_mode": InvocationMode.DBT_RUNNER,
        # Called with dbt's folder, however dbt has ended.
        "callback": partial(_keep_results, domain=domain),
    }
    build = DbtToAirflowConverter(
        dag=dag,
        project_config=ProjectConfig(
            project_name="sluice",
            dbt_project_path=settings.DBT_PROJECT_DIR,
            manifest_path=_SETTINGS.manifest,
            install_dbt_deps=False,
        ),
        profile_config=_PROFILE,
        execution_config=ExecutionConfig(
            execution_mode=ExecutionMode.WATCHER,
            # Cosmos skips the producer's second try; the models retry themselves.
            setup_operator_args={
                **waiting("build"),
                "retries": 0,
                "full_refresh": "{{ params.full_refresh }}",
                **_noted(domain, BUILD, begin=_note_builder),
            },
        ),
        render_config=RenderConfig(
            load_method=LoadMode.DBT_MANIFEST,
            select=select,
            test_behavior=TestBehavior.NONE,
            emit_datasets=False,
            node_converters=dict.fromkeys(RENDERED, _task_in_group),
        ),
        operator_args={**dbt, "pool": _watchers(domain), "deferrable": False, "poke_interval": POKE_SECONDS},
    )
    producer = build.tasks_map[PRODUCER_WATCHER_TASK_ID]
    for task in build.tasks_map.values():
        task.cache_dir = PARSED
    tests = DbtTestLocalOperator(
        task_id="test_data",
        dag=dag,
        project_dir=settings.DBT_PROJECT_DIR,
        profile_config=_PROFILE,
        select=" ".join(select),
        exclude=UNIT_TESTS,
        install_deps=False,
        emit_datasets=False,
        cache_dir=PARSED,
        **waiting("test"),
        # A wrong row is wrong at a second look as well.
        retries=0,
        **_noted(domain, TEST, begin=_note_repaired_build),
        **dbt,
    )
    # The producer fails with any of its models; whether the run fails is for the models to say.
    build_finished = EmptyOperator(task_id="build_finished", dag=dag, trigger_rule="all_done")
    producer >> build_finished >> tests
    watchers = [task for task in build.tasks_map.values() if task is not producer]
    for task in watchers:
        task._handle_retry = _build_again
        if not task.downstream_list:
            task >> tests
    return [producer, *(task for task in watchers if not task.upstream_list)], tests


def _build_again(try_number: int, producer_state: str | None, context: dict) -> bool:
    """What a model's task does at every try but the first.

    Cosmos would have it watch the producer as long as that runs. But of a run that was cleared, it would read what the
    producer's first try had said, and take an old model for the new one.
    """
    _note_builder(context["dag"].dag_id, context)
    return context["task"]._fallback_to_non_watcher_run(try_number, context)


def run_dag_locally(dag: DAG) -> str:
    """Run the DAG here, one task after another, without a scheduler; return the run's state.

    `dag.test()` alone may begin with a model's task, which would wait for ever for the build that
    comes after it; so these give way between two looks. And it cannot read a deadline's id (Airflow 3.3.2:
    'dict' object has no attribute 'hex'); who looks on needs none.
    """
    dag.deadline = None
    for task in dag.tasks:
        if task.pool == _watchers(dag.dag_id):
            task.mode = "reschedule"
    return dag.test().state


def _watchers(domain: str) -> str:
    """The pool of a domain's models, see `local_airflow.configuration`."""
    return f"dbt_watchers_{domain}"


def _noted(domain: str, name: str, begin: Callable[[str, dict], None]) -> dict[str, Callable[[dict], None]]:
    """Hooks with which a task of Cosmos keeps other runs of its domain out, and notes itself as a stage of its run.

    They run in the task's own process. One that dies has begun and not ended, which says it all.
    """
    running = ExitStack()

    # An error in it is the task's; one in a callback would only be logged.
    def alone(context: dict) -> None:
        from warehouse import domain_lock

        running.enter_context(domain_lock(_SETTINGS, domain))

    def begun(context: dict) -> None:
        begin(domain, context)
        running.enter_context(stage(domain, context["run_id"], name, _SETTINGS))

    def ended(context: dict) -> None:
        error = context.get("exception")
        running.__exit__(type(error) if error else None, error, None)

    return {
        "pre_execute": alone,
        "on_execute_callback": begun,
        "on_success_callback": ended,
        "on_failure_callback": ended,
    }


def _keep_results(project_dir: str, context: dict, *, domain: str) -> None:
    save_results(Path(project_dir) / "target", domain, context["run_id"], _SETTINGS)


def _note_builder(domain: str, context: dict) -> None:
    record_build_owner(domain, context["run_id"], _SETTINGS)


def _note_repaired_build(domain: str, context: dict) -> None:
    """The tests run when every model stands, be it by its own task's retry."""
    mark_repaired(
        domain, context["run_id"], BUILD, _SETTINGS, "failed models were built by their own retries"
    )


def _task_in_group(
    node: DbtNode, dag: DAG, task_args: dict, execution_mode: ExecutionMode, **_
) -> BaseOperator | None:
    """Cosmos' task of a node, named after the node, in the task group of its layer."""
    path = node.original_file_path.as_posix()
    group_id = next(group_id for folder, group_id in GROUPS.items() if path.startswith(f"{folder}/"))
    # A task that starts parses this file for itself alone, and needs no other model's task.
    if get_parsing_context().task_id not in (None, f"{group_id}.{node.name}"):
        return None
    group = dag.task_group.children.get(group_id) or TaskGroup(group_id, dag=dag)
    task = create_task_metadata(node, execution_mode, task_args, dag.dag_id)
    task.id = node.name
    return get_airflow_task(task, dag, group)
