"""The steps of a run as Airflow tasks; `orchestration.tasks` does their work."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, XComArg, chain, task, task_group
from airflow.sdk.exceptions import DownstreamTasksSkipped
from cosmos.constants import PRODUCER_WATCHER_TASK_ID

import settings
from dag_factory.changes import CHANGES
from dag_factory.dbt import TESTS, dbt_models
from dag_factory.lineage import add_model_assets, step_assets
from dag_factory.pools import warehouse_writer
from dag_factory.publish import FORM, PublishOperator
from dag_factory.task_runs import as_task_states, task_run
from orchestration.steps import Kind, Retries, Step
from settings import Settings

RETRIES: dict[Retries, dict[str, int]] = {
    Retries.BACKOFF: {},  # as the DAG says
    Retries.ONCE: {"retries": 1},
    Retries.NEVER: {"retries": 0},
}
# A step that is not here does not write to the warehouse, such as one that waits for a slow source.
ARGUMENTS: dict[Kind, dict[str, Any]] = {
    Kind.INGEST: warehouse_writer("ingest"),
    # Also if a gate was skipped: something may be left from earlier runs.
    Kind.FIND_CHANGES: {"trigger_rule": "none_failed", **warehouse_writer("changes")},
    Kind.PUBLISH: {"trigger_rule": "none_failed", **warehouse_writer("publish")},
    Kind.REPORT: {"trigger_rule": "none_failed"},
    # Before the metrics, which wait for the warehouse.
    Kind.NOTIFY: {"trigger_rule": "all_done"},
    Kind.RECORD: {"trigger_rule": "all_done", **warehouse_writer("record")},
}

log = logging.getLogger(__name__)


def add_steps(dag: DAG, steps: tuple[Step, ...], own: Settings) -> None:
    """Add the tasks of a domain's steps to its DAG."""
    domain = dag.dag_id
    by_kind = {step.kind: step for step in steps}
    loaded, gates = _loads(domain, steps, by_kind)
    models, tests = dbt_models(domain, own)
    changes = _task(domain, by_kind[Kind.FIND_CHANGES])()
    for gate in gates:
        gate >> changes
    changes >> models
    publish = _task(domain, by_kind[Kind.PUBLISH])()
    add_model_assets(dag, own)
    last = _task(domain, by_kind[Kind.REPORT])() if Kind.REPORT in by_kind else publish
    chain(tests, publish, *([last] if last is not publish else []))
    # The two leaves of the DAG decide whether the run succeeds: it does if it has published.
    publish >> EmptyOperator(task_id="published_marker")
    end = [_task(domain, by_kind[kind])() for kind in (Kind.NOTIFY, Kind.RECORD)]
    chain([*loaded, last], *end, EmptyOperator(task_id="run_finished", trigger_rule="all_done"))


def _loads(
    domain: str, steps: tuple[Step, ...], by_kind: dict[Kind, Step]
) -> tuple[list[XComArg], Sequence[XComArg | EmptyOperator]]:
    """Add the tasks that load the entities; return the last of them, and those that the models wait for."""
    fetches = {step.entity: step for step in steps if step.kind is Kind.FETCH}

    def load(step: Step, part: XComArg | None = None, files: Sequence[XComArg] = ()) -> Any:
        """Load an entity; reading a slow source is a task before, which does not keep others from the warehouse."""
        if step.fetched:
            # What is loaded last is the newest; a file that cannot be loaded does not keep the API from it.
            rule = {"trigger_rule": "all_done"} if files else {}
            part = _task(domain, fetches[step.entity], **rule)(part=part)
            if files:
                chain([*files], part)
            if step.needs_rows:
                # A file that cannot be fetched does not keep the others from being loaded.
                return _task(domain, step, trigger_rule="all_done")(part=part)
        return _task(domain, step)(part=part)

    ingests = [step for step in steps if step.kind is Kind.INGEST]
    if Kind.LIST_PARTS in by_kind:
        loaded = [_load_parts(domain, ingests, by_kind, load)]
        return loaded, loaded
    files = [load(step) for step in ingests if not step.fetched]
    loaded = [*files, *(load(step, files=files) for step in ingests if step.fetched)]
    if Kind.CHECK_NEW not in by_kind:
        loaded = [_check_entities(domain, [*fetches.values(), *ingests], loaded)]
        return loaded, loaded
    new = _task(domain, by_kind[Kind.CHECK_NEW])(part=loaded[0])
    # Neither the budget nor the alert stops the run.
    available = EmptyOperator(task_id="data_available", trigger_rule="all_done")
    beside = [_task(domain, by_kind[kind])() for kind in (Kind.ENRICH, Kind.CHECK_VOLUME)]
    chain(new, beside, available)
    return loaded, [new, available]


def _check_entities(domain: str, steps: list[Step], loaded: list[XComArg]) -> XComArg:
    """Let the models go on without the files that could not be loaded; return the task that decides it."""

    @task(task_id="files_loaded", trigger_rule="all_done", retries=0)
    def check(*, run_id: str | None = None, ti: Any = None) -> None:
        """Go on unless nothing of an entity was ever loaded."""
        from orchestration.tasks import check_entities

        ids = [step.id for step in steps]
        states = ti.get_task_states(dag_id=ti.dag_id, task_ids=ids, run_ids=[run_id])[run_id]
        with as_task_states():
            check_entities(
                domain, settings.load(), [step for step in steps if states.get(step.id) != "success"]
            )

    checked = check()
    loaded >> checked
    return checked


def _load_parts(
    domain: str, ingests: list[Step], by_kind: dict[Kind, Step], load_entity: Callable[..., Any]
) -> XComArg:
    """Load each month or file by tasks of its own; return the task that has seen the end of all."""
    listed = _task(domain, by_kind[Kind.LIST_PARTS])()
    (step,) = [step for step in ingests if step.parts]
    load = _task(domain, step, map_index_template="{{ task.op_kwargs['part'] }}")
    if download := by_kind.get(Kind.DOWNLOAD):
        # Two tasks, so that a retry of one does not repeat the other.
        @task_group(group_id=f"{step.parts}s_of_files", prefix_group_id=False)
        def each(part: str) -> None:
            load(part=_task(domain, download)(part=part))

        loads = [each.expand(part=listed)]
    else:
        loads = [load.expand(part=listed)]
    # Without a new file, the other entities are not loaded either.
    loads += [load_entity(other, listed) for other in ingests if other is not step]
    tasks = [by_kind[Kind.LIST_PARTS].id, step.id, *([download.id] if download else [])]

    # Not `all_done_min_one_success`, which skips the rest as soon as one part is skipped.
    @task(task_id=f"{step.parts}s_loaded", trigger_rule="all_done", retries=0)
    def any_loaded(*, run_id: str | None = None, ti: Any = None) -> None:
        """Go on unless something failed and nothing was loaded."""
        from orchestration.tasks import check_loaded

        states = ti.get_task_states(dag_id=ti.dag_id, task_ids=tasks, run_ids=[run_id])[run_id]
        own = {state for name, state in states.items() if name.startswith(step.id)}
        failed = not {"failed", "upstream_failed"}.isdisjoint(states.values())
        with as_task_states():
            check_loaded(step, loaded="success" in own, failed=failed)

    loaded = any_loaded()
    loads >> loaded
    return loaded


def _task(domain: str, step: Step, **arguments: Any) -> Any:
    """Return the task of a step, which may take a part of the load, or the result of another task."""
    arguments = {
        **RETRIES[step.retries],
        **ARGUMENTS.get(step.kind, {}),
        **step_assets(domain, step, settings.load()),
        **arguments,
    }

    if step.kind is Kind.PUBLISH:
        return lambda: PublishOperator(
            task_id=step.id, step=step, doc_md=step.summary, params=FORM, **arguments
        )

    @task(task_id=step.id, doc_md=step.summary, **arguments)
    def run(part: Any = None, **context: Any) -> Any:
        from orchestration.tasks import run_step

        with as_task_states():
            done = run_step(task_run(domain, context), step, part)
        if step.kind is Kind.FIND_CHANGES:
            _skip_unchanged(context["dag"], context["ti"], done)
        return done

    return run


def _skip_unchanged(dag: DAG, ti: Any, found: dict[str, Any]) -> None:
    """Skip the tasks of models without new input, and the steps that have nothing to do; none of them is started."""
    ti.xcom_push(CHANGES, found["changes"])
    unchanged = {*found["changes"]["unchanged"]}
    # There may be new tests alone.
    idle = {*found["idle"]} | (set() if found["changes"]["models"] else {Kind.BUILD})
    ids = {
        Kind.BUILD: PRODUCER_WATCHER_TASK_ID,
        Kind.TEST: TESTS,
        Kind.PUBLISH: "publish",
        Kind.REPORT: "write_reports",
    }
    skipped = [ids[Kind(kind)] for kind in sorted(idle)]
    skipped += [
        task.task_id
        for task in dag.tasks
        if getattr(task, "extra_context", {}).get("dbt_node_config", {}).get("unique_id") in unchanged
    ]
    if skipped:
        log.info("skipped, no new input: %s", ", ".join(skipped))
        raise DownstreamTasksSkipped(tasks=[name for name in skipped if name in dag.task_ids])
