"""The dbt models of a domain as Airflow tasks, by Cosmos.

DuckDB takes one writing process, so one `dbt build`, the producer, builds a domain's models and seeds, and each model
is a task that watches it. A model that failed is built again by its own task. The data tests run when all models are
built. Both leave out what `find_changes` has found to have no new input.
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

from airflow.sdk import BaseOperator, TaskGroup, get_parsing_context
from airflow.sdk.exceptions import AirflowSkipException
from cosmos import (
    DbtTaskGroup,
    ExecutionConfig,
    ExecutionMode,
    LoadMode,
    ProfileConfig,
    ProjectConfig,
    RenderConfig,
)
from cosmos.constants import (
    PRODUCER_WATCHER_DONE_TASK_ID,
    PRODUCER_WATCHER_TASK_ID,
    InvocationMode,
    TestBehavior,
)
from cosmos.operators.local import DbtTestLocalOperator

import settings as project_settings
from dag_factory.changes import found_changes
from dag_factory.model_task import watch
from dag_factory.pools import warehouse_writer, watchers
from observability.metrics.dbt_results import save_results
from observability.metrics.run_log import mark_repaired, stage
from settings import Settings
from transformation.build_owner import record_build_owner
from transformation.dbt import (
    REBUILD_VARIABLE,
    RUN_VARIABLE,
    UNIT_TESTS,
    DbtError,
    ensure_manifest,
    selectors,
)

# Names of dbt's work in a run's metrics.
BUILD, TEST = "build", "test"
POKE_SECONDS = 1
TESTS = "test_data"


def rebuild_months(params: Mapping[str, Any], dag_run: Any) -> str:
    """Return what a run rebuilds even if nothing changed: the years of a manual run, the month of a backfill run."""
    month = dag_run.logical_date.strftime("%Y-%m") if dag_run.run_type == "backfill" else ""
    return ",".join(map(str, params["years"])) or month


# For the templates of a DAG with `dbt_models`.
MACROS = {"rebuild_months": rebuild_months}


def dbt_models(domain: str, own: Settings) -> tuple[TaskGroup, BaseOperator]:
    """Add a domain's models and seeds, and the task `test_data` after them, to a DAG that has `MACROS`."""
    select = selectors(domain)
    # Environment variables, because dbt parses the whole project again whenever one of its own `vars` changes.
    environment = {
        REBUILD_VARIABLE: "{{ rebuild_months(params, dag_run) }}",
        RUN_VARIABLE: "{{ run_id }}",
    }
    # All DAGs, and dbt in a shell, share what one of them has parsed, which takes 5 s.
    parsed = own.dbt_target.parent
    profile = ProfileConfig(
        profile_name=project_settings.DBT_PROFILE,
        target_name=own.target,
        profiles_yml_filepath=project_settings.PROJECT_DIR / "profiles.yml",
    )
    dbt = {
        "invocation_mode": InvocationMode.DBT_RUNNER,
        # Cosmos calls it with dbt's folder, also if dbt has failed.
        "callback": partial(_keep_results, domain=domain),
    }
    models = DbtTaskGroup(
        "dbt",
        prefix_group_id=False,
        project_config=ProjectConfig(
            project_name="sluice",
            dbt_project_path=project_settings.DBT_PROJECT_DIR,
            manifest_path=own.manifest,
            install_dbt_deps=False,
            env_vars=environment,
        ),
        profile_config=profile,
        execution_config=ExecutionConfig(
            execution_mode=ExecutionMode.WATCHER,
            setup_operator_args={
                **warehouse_writer("build"),
                # Cosmos skips the producer's second try (cosmos#3001); the models retry themselves.
                "retries": 0,
                "cache_dir": parsed,
                **_callbacks(domain, BUILD, begin=_begin_build),
            },
        ),
        render_config=RenderConfig(
            load_method=LoadMode.DBT_MANIFEST,
            select=_needed(select),
            test_behavior=TestBehavior.NONE,
            emit_datasets=False,
            group_nodes_by_folder=True,
            normalize_task_id=_name,
            normalize_task_display_name=_name,
        ),
        operator_args={
            **dbt,
            "full_refresh": "{{ params.full_refresh }}",
            "pool": watchers(domain),
            # `find_changes` has skipped the tasks that have nothing to do.
            "trigger_rule": "none_failed",
            "pre_execute": watch,
            "deferrable": False,
            "poke_interval": POKE_SECONDS,
        },
    )
    # The producer fails with any of its models; whether the run fails is for the models' own tasks to say.
    models.tasks_map[PRODUCER_WATCHER_DONE_TASK_ID].trigger_rule = "all_done"
    tests = DbtTestLocalOperator(
        task_id=TESTS,
        project_dir=project_settings.DBT_PROJECT_DIR,
        profile_config=profile,
        # Which tests: see `_select`.
        select=" ".join(select),
        exclude=UNIT_TESTS,
        trigger_rule="none_failed",
        install_deps=False,
        emit_datasets=False,
        cache_dir=parsed,
        env=environment,
        **warehouse_writer("test"),
        # Data test failures are deterministic.
        retries=0,
        **_callbacks(domain, TEST, begin=_note_repaired_build, passed=_record_built),
        **dbt,
    )
    models >> tests
    return models, tests


def _name(node: Any) -> str:
    return node.name


def _needed(select: list[str]) -> list[str]:
    """Select only the model whose task parses this file: it needs no other model's task."""
    group, _, name = (get_parsing_context().task_id or "").rpartition(".")
    return [name] if group else select


def _select(context: dict) -> None:
    """Let the task of a dbt command run what has new input."""
    found = found_changes(context)
    if found:
        task, own = context["task"], context["ti"].task
        names = found.models if task.task_id == PRODUCER_WATCHER_TASK_ID else found.tests or found.models
        if not names:
            # dbt would take no name for all.
            raise AirflowSkipException("no new input")
        for each in (task, own):
            each.select, each.exclude, each.indirect_selection = " ".join(names), None, "empty"


def _callbacks(
    domain: str,
    name: str,
    begin: Callable[[str, dict], None],
    passed: Callable[[str, dict], None] = lambda *_: None,
) -> dict[str, Callable[[dict], None]]:
    """Return hooks by which a task of Cosmos locks its domain, selects its nodes and records itself as a stage of its run.

    They run in the task's own process. If it dies, its stage has begun and not ended.
    """
    running = ExitStack()

    # An error here fails the task; Airflow only logs those of a callback.
    def lock(context: dict) -> None:
        from warehouse import domain_lock

        running.enter_context(domain_lock(project_settings.load(), domain))
        _select(context)

    def begun(context: dict) -> None:
        begin(domain, context)
        running.enter_context(stage(domain, context["run_id"], name, project_settings.load()))

    def ended(context: dict) -> None:
        error = context.get("exception")
        running.__exit__(type(error) if error else None, error, None)
        if not error:
            passed(domain, context)

    return {
        "pre_execute": lock,
        "on_execute_callback": begun,
        "on_success_callback": ended,
        "on_failure_callback": ended,
    }


def _keep_results(project_dir: str, context: dict, *, domain: str) -> None:
    save_results(Path(project_dir) / "target", domain, context["run_id"], project_settings.load())


def _begin_build(domain: str, context: dict) -> None:
    own = project_settings.load()
    # The next run has the models of this build, also if this run does not get to its end.
    with suppress(DbtError):  # the build itself has the reason
        ensure_manifest(own)
    record_build_owner(domain, context["run_id"], own)


def _record_built(domain: str, context: dict) -> None:
    from transformation.changes import record_built

    # Otherwise the next run builds it again.
    if found := found_changes(context):
        record_built(domain, context["run_id"], found, project_settings.load())


def _note_repaired_build(domain: str, context: dict) -> None:
    note = "failed models were built by their own retries"
    mark_repaired(domain, context["run_id"], BUILD, project_settings.load(), note)
