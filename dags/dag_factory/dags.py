"""DAGs: their schedule, first day, parameters, documentation and retries.

Settings are read when a DAG is declared and not when this module is imported, so that a wrong variable of one domain
is an import error of that domain's DAG alone.
"""

import sys
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

# Airflow's stub of this module lacks them.
from airflow.sdk import (  # type: ignore[attr-defined]
    DAG,
    AssetOrTimeSchedule,
    AsyncCallback,
    CronDataIntervalTimetable,
    CronTriggerTimetable,
    DeadlineAlert,
    DeadlineReference,
    Param,
)
from landing_trigger import landing_asset

import settings
from dag_factory.dbt import MACROS
from dag_factory.pools import watchers
from dag_factory.tasks import add_steps
from observability.health.alert_rules import alert_rules_for
from orchestration.steps import Kind, Step, steps_of, steps_table
from settings import Settings
from transformation.manifest import ManifestError, read_manifest

PARAMS = {
    "full_refresh": Param(
        False, type="boolean", title="Full refresh", description="Build every incremental model from scratch."
    ),
    "years": Param(
        [],
        type="array",
        items={"type": "integer"},
        title="Years",
        description="Years to rebuild, such as 2024.",
    ),
    "force_publish": Param(
        False,
        type="boolean",
        title="Publish anyway",
        description="Publish even if too much is in quarantine or the marts differ too much.",
    ),
    "reason": Param(
        "", type="string", title="Reason", description="Why it is published anyway; the version records it."
    ),
}
MONTHS = {
    "months": Param(
        [],
        type="array",
        items={"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$"},
        title="Months",
        description="Months of a manual run, such as 2024-05; without any, all months in landing.",
    )
}


def domain_dag(domain: str, *, doc: str, schedule: str, start: date) -> DAG:
    """Return the DAG of a domain.

    A domain whose files are months has a run for each interval, with catch-up. A domain whose files may arrive at any
    time also runs when files have arrived.

    Args:
        domain: the pipeline; the DAG's id.
        doc: what it does, in one sentence; shown in the UI above the table of its steps.
        schedule: a cron expression; the environment may replace it.
        start: the first day; the environment may replace it.

    Raises:
        SettingsError: a variable of the domain has an invalid value.
    """
    own = settings.load()
    steps = steps_of(domain, own)
    parts = {step.parts for step in steps}
    by_month = "month" in parts
    params = PARAMS | MONTHS if by_month else PARAMS
    with DAG(
        domain,
        description=doc.strip().splitlines()[0],
        doc_md=_doc(doc, steps, params),
        schedule=_timetable(domain, own.schedule(domain, schedule), parts),
        start_date=datetime.combine(own.start(domain, start), time(), tzinfo=UTC),
        catchup=by_month and own.catches_up(domain),
        params=params,
        user_defined_macros=MACROS,
        tags=["pipeline", domain],
        **_common(domain, own),
    ) as dag:
        add_steps(dag, steps, own)
    return dag


def platform_dag(dag_id: str, *, doc: str, schedule: Any, **arguments: Any) -> DAG:
    """Return a DAG that serves all domains, without tasks.

    Args:
        dag_id: its id.
        doc: shown in the UI.
        schedule: a cron expression, which the environment may replace; or assets; None for manual runs alone.
        arguments: further arguments of `DAG`.
    """
    own = settings.load()
    return DAG(
        dag_id,
        description=doc.strip().splitlines()[0],
        doc_md=doc,
        schedule=own.schedule(dag_id, schedule) if isinstance(schedule, str) else schedule,
        start_date=datetime(2024, 1, 1, tzinfo=UTC),
        catchup=False,
        tags=["platform", dag_id],
        **_common(dag_id, own),
        **arguments,
    )


def run_locally(dag: DAG) -> None:
    """Run the DAG in this process without a scheduler, and exit with 1 if the run fails."""
    # dag.test() cannot read a deadline's id (Airflow 3.3.2: 'dict' object has no attribute 'hex').
    dag.deadline = None
    for task in dag.tasks:
        if task.pool == watchers(dag.dag_id):
            # dag.test() may start a watcher before the build, which must get its turn between two pokes.
            task.mode = "reschedule"  # type: ignore[union-attr]  # no DAG maps its watchers
    sys.exit(dag.test().state != "success")


def _common(dag_id: str, own: Settings) -> dict[str, Any]:
    hours = alert_rules_for(dag_id, own).deadline_hours
    late = AsyncCallback(
        "observability.health.late_run.notify_late_run", {"pipeline": dag_id, "hours": hours}
    )
    deadline = DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, timedelta(hours=hours or 0), late)
    return {
        "max_active_runs": 1,
        # None: as Airflow's `dags_are_paused_at_creation` says.
        "is_paused_upon_creation": False if dag_id in own.active_dags else None,
        "deadline": [deadline] if hours else [],
        # The models below a failed model fail with it and are retried after it, level by level: the first delay is
        # short to keep such a chain short.
        "default_args": {
            "owner": _owner(dag_id, own),
            "retries": own.retries,
            "retry_delay": timedelta(seconds=5),
            "retry_exponential_backoff": 2.0,
            "max_retry_delay": timedelta(minutes=5),
            "execution_timeout": timedelta(hours=own.task_hours),
        },
    }


def _owner(dag_id: str, own: Settings) -> str:
    """Return the owner of the domain's dbt group; Airflow's own default before dbt has parsed the project."""
    try:
        return read_manifest(own.manifest).owner(dag_id) or "airflow"
    except ManifestError:
        return "airflow"


def _timetable(domain: str, cron: str | None, parts: set[str | None]) -> Any:
    if "month" in parts:
        return CronDataIntervalTimetable(cron, timezone="UTC") if cron else None
    if "file" in parts:
        assets = [landing_asset(domain)]
        clock = CronTriggerTimetable(cron, timezone="UTC") if cron else None
        return AssetOrTimeSchedule(assets=assets, timetable=clock) if clock else assets
    return cron


def _doc(doc: str, steps: tuple[Step, ...], params: dict[str, Param]) -> str:
    told = [f"- `{name}`: {param.description}" for name, param in params.items()]
    (publish,) = [step for step in steps if step.kind is Kind.PUBLISH]
    return "\n".join(
        [
            doc.strip(),
            "",
            steps_table(steps),
            "",
            f"Whatever fails before the end of `{publish.id}`, readers keep the last published version.",
            "",
            "Parameters of a manual run:",
            "",
            *told,
            "",
            "A backfill run rebuilds the month of its date.",
        ]
    )
