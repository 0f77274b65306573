"""The steps of a run as Airflow tasks; what they do is in `orchestration`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Asset, XComArg, chain, task, task_group
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from cosmos.constants import PRODUCER_WATCHER_TASK_ID

import settings
from dag_factory.dbt import dbt_models
from dag_factory.pools import warehouse_writer
from orchestration.steps import Kind, Step
from settings import Settings

# Loads of parts have ended: `all_done_min_one_success` would skip the rest as soon as one part is skipped.
ALL_DONE = {"trigger_rule": "all_done", "retries": 0}


def add_steps(dag: DAG, steps: tuple[Step, ...], own: Settings) -> None:
    """Add the tasks of a domain's steps to its DAG."""
    domain = dag.dag_id
    by_kind = {step.kind: step for step in steps}
    loaded, gates = _loads(domain, [step for step in steps if step.kind is Kind.INGEST], by_kind)
    models, tests = dbt_models(domain, own)
    published = _publish(domain)
    last = _write_reports(domain) if Kind.REPORT in by_kind else None
    for gate in gates:
        gate >> models
    chain(tests, published, *([last] if last else []))
    # The two leaves of the DAG decide whether the run succeeds: it does if it has published.
    published >> EmptyOperator(task_id="published_marker")
    finished = EmptyOperator(task_id="run_finished", trigger_rule="all_done")
    chain([*loaded, last or published], _notify(domain), _record(domain), finished)


def _loads(
    domain: str, ingests: list[Step], by_kind: dict[Kind, Step]
) -> tuple[list[XComArg], list[XComArg | EmptyOperator]]:
    """Add the tasks that load the entities; return the last of them, and those that the models wait for."""
    if parts := by_kind.get(Kind.LIST_PARTS):
        others = [step.entity for step in ingests if not step.parts]
        by_month = parts.parts == "month"
        loaded = _load_months(domain, parts.entity) if by_month else _load_files(domain, parts.entity, others)
        return [loaded], [loaded]
    loaded = [_ingest(domain, step.entity) for step in ingests]
    if Kind.CHECK_NEW not in by_kind:
        return loaded, loaded
    new = _check_for_new_data(domain, by_kind[Kind.ENRICH].entity, loaded[0])
    # Neither the budget nor the alert stops the run.
    available = EmptyOperator(task_id="data_available", trigger_rule="all_done")
    chain(
        new,
        [_enrich(domain, by_kind[Kind.ENRICH]), _check_volume(domain, by_kind[Kind.CHECK_VOLUME])],
        available,
    )
    return loaded, [new, available]


def _ingest(domain: str, entity: str) -> XComArg:
    @task(task_id=f"ingest_{entity}", **warehouse_writer("ingest"))
    def load(*, run_id: str | None = None) -> dict:
        """Load what was delivered since the last run."""
        return _load(domain, run_id, entity)

    return load()


def _load(domain: str, run_id: str, entity: str, **part: str) -> dict:
    from orchestration.tasks import load_part

    with _as_task_states():
        return load_part(domain, run_id, settings.load(), entity, **part).to_dict()


def _load_months(domain: str, entity: str) -> XComArg:
    """Download and load each month by two tasks, so that a retry of one does not repeat the other."""

    @task(task_id="months")
    def list_months(*, params: dict | None = None, dag_run=None, data_interval_start=None) -> list[str]:
        """List the months of the run."""
        from orchestration.tasks import months_of_run

        interval = None if dag_run.run_type == "manual" else data_interval_start
        return months_of_run(domain, settings.load(), interval, params["months"])

    @task(task_id=f"download_{entity}")
    def download(month: str) -> str:
        """Download the month's file, unless it is there."""
        from orchestration.tasks import download_month

        with _as_task_states():
            return download_month(domain, month, settings.load())

    @task(
        task_id=f"ingest_{entity}",
        map_index_template="{{ task.op_kwargs['month'] }}",
        **warehouse_writer("ingest"),
    )
    def load(month: str, *, run_id: str | None = None) -> dict:
        """Load the month in place of its earlier rows."""
        return _load(domain, run_id, entity, month=month)

    @task_group(group_id="months_of_files", prefix_group_id=False)
    def each(month: str) -> None:
        load(download(month))

    loaded = _parts_loaded(domain, "months", entity, [f"download_{entity}"])
    each.expand(month=list_months()) >> loaded
    return loaded


def _load_files(domain: str, entity: str, others: list[str]) -> XComArg:
    """Load each file by a task of its own; without a new file, the other entities are not loaded either."""

    @task(task_id="files")
    def list_files() -> list[str]:
        """List the complete files, at most as many as Airflow maps; the next run has the rest."""
        from orchestration.tasks import files_of_run

        return files_of_run(domain, settings.load())[: conf.getint("core", "max_map_length")]

    @task(
        task_id=f"ingest_{entity}",
        map_index_template="{{ task.op_kwargs['file'] }}",
        **warehouse_writer("ingest"),
    )
    def load(file: str, *, run_id: str | None = None) -> dict:
        """Load the file and move it out of landing."""
        return _load(domain, run_id, entity, file=file)

    def load_other(entity: str) -> XComArg:
        @task(task_id=f"ingest_{entity}", **warehouse_writer("ingest"))
        def load(files: list[str], *, run_id: str | None = None, params: dict | None = None) -> dict:
            """Load what is new or changed."""
            if not files and not _is_forced(params):
                raise AirflowSkipException("no file has arrived")
            return _load(domain, run_id, entity)

        return load(files)

    files = list_files()
    loaded = _parts_loaded(domain, "files", entity, [])
    [load.expand(file=files), *map(load_other, others)] >> loaded
    return loaded


def _parts_loaded(domain: str, parts: str, entity: str, before: list[str]) -> XComArg:
    """Add the task after which the run goes on with the parts that were loaded."""
    loads = [parts, *before, f"ingest_{entity}"]

    @task(task_id=f"{parts}_loaded", **ALL_DONE)
    def any_loaded(*, run_id: str | None = None, ti=None, params: dict | None = None) -> None:
        """Go on if something was loaded; otherwise fail if something failed, or skip the rest."""
        from orchestration.tasks import check_loaded

        states = ti.get_task_states(dag_id=ti.dag_id, task_ids=loads, run_ids=[run_id])[run_id]
        own = [state for name, state in states.items() if name.startswith(loads[-1])]
        failed = not {"failed", "upstream_failed"}.isdisjoint(states.values())
        with _as_task_states():
            check_loaded(
                domain,
                settings.load(),
                parts,
                loaded="success" in own,
                failed=failed,
                forced=_is_forced(params),
            )

    return any_loaded()


def _check_for_new_data(domain: str, enrichment: str, loaded: XComArg) -> XComArg:
    @task(task_id="check_for_new_data")
    def check(loaded: dict, *, params: dict | None = None) -> None:
        """Skip the rest if nothing is new and nothing is left from earlier runs."""
        from orchestration.tasks import check_for_new_data

        with _as_task_states():
            new = bool(loaded["rows_loaded"]) or _is_forced(params)
            check_for_new_data(domain, settings.load(), enrichment, new=new)

    return check(loaded)


# Outside the pool: others use the warehouse while it waits for the model.
def _enrich(domain: str, step: Step) -> XComArg:
    @task(task_id=step.id)
    def enrich(*, run_id: str | None = None) -> dict:
        """Enrich the new texts, within the budget."""
        from orchestration.run import enrich

        with _as_task_states():
            return enrich(domain, run_id, settings.load(), step.entity).to_dict()

    return enrich()


def _check_volume(domain: str, step: Step) -> XComArg:
    @task(task_id="check_volume", retries=0)
    def check() -> str:
        """Fail, as an alert, if much less data arrived than usual."""
        from orchestration.run import check_volume

        with _as_task_states():
            return check_volume(domain, settings.load(), step.entity)

    return check()


def _publish(domain: str) -> XComArg:
    @task(outlets=[Asset(f"sluice://published/{domain}")], **warehouse_writer("publish"))
    def publish(*, run_id: str | None = None, params: dict | None = None) -> dict:
        """Publish the marts; what another run has built since is for that run to publish."""
        from orchestration.run import publish

        with _as_task_states():
            return publish(domain, run_id, settings.load(), force_publish=params["force_publish"]).to_dict()

    return publish()


def _write_reports(domain: str) -> XComArg:
    @task(retries=1)
    def write_reports(*, run_id: str | None = None) -> list[str]:
        """Write the reports from the published marts."""
        from orchestration.run import write_reports

        return [str(path) for path in write_reports(domain, run_id, settings.load())]

    return write_reports()


def _notify(domain: str) -> XComArg:
    # Before the metrics, which wait for the warehouse. Not retried, so that no message is sent twice.
    @task(**ALL_DONE)
    def notify(*, run_id: str | None = None, ti=None) -> None:
        """Tell people how the run ended, if the settings say so."""
        from orchestration.tasks import notify_of_run

        page = f"{conf.get('api', 'base_url').rstrip('/')}/dags/{domain}/runs/{quote(run_id)}"
        notify_of_run(domain, run_id, settings.load(), _failed_tasks(ti, run_id), page)

    return notify()


def _record(domain: str) -> XComArg:
    @task(trigger_rule="all_done", **warehouse_writer("record"))
    def record_run(*, run_id: str | None = None, ti=None) -> None:
        """Write the metrics of the run to the warehouse."""
        from observability.metrics.record import record

        record(domain, settings.load(), run_id, failed=_failed_tasks(ti, run_id))

    return record_run()


def _is_forced(params: dict) -> bool:
    """Whether the parameters of a run ask for work on what was loaded before."""
    return any(params[name] for name in ("full_refresh", "years", "force_publish"))


def _failed_tasks(ti: Any, run_id: str) -> list[str]:
    """Return the failed tasks of a run; a failed build is named by its models, not by the producer."""
    states = ti.get_task_states(dag_id=ti.dag_id, run_ids=[run_id])[run_id]
    return sorted(
        name for name, state in states.items() if state == "failed" and name != PRODUCER_WATCHER_TASK_ID
    )


@contextmanager
def _as_task_states() -> Iterator[None]:
    """Skip a task that has nothing to do, and do not retry what would fail again."""
    from orchestration.tasks import FINAL, NOTHING_TO_DO

    try:
        yield
    except NOTHING_TO_DO as error:
        raise AirflowSkipException(error) from error
    except FINAL as error:
        raise AirflowFailException(error) from error
