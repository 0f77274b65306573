"""The report about finished DAG runs."""

from rich.console import Console
from rich.table import Table

from local_airflow.client import AirflowClient, RunState
from settings import Settings

SUCCESS, PARTIAL, FAILED = 0, 1, 2
# Shorter stages had nothing to do.
SHORTEST_SECONDS = 0.05
COLOURS = {"success": "green", "partial": "yellow", "skipped": "yellow", "failed": "red"}
# It fails if a model failed in it. If the run succeeded, that model's own retry has repaired it.
BUILD_TASK = "dbt_producer_watcher"


def exit_status(states: list[RunState]) -> int:
    """Return 0 if all runs succeeded, 1 if a non-critical task failed, 2 if a run failed."""
    outcomes = {outcome(state) for state in states}
    return FAILED if "failed" in outcomes else PARTIAL if "partial" in outcomes else SUCCESS


def outcome(run: RunState) -> str:
    """Return how a run ended: success, skipped (nothing was new), failed, or partial.

    A run is partial if what failed is not needed by the marts.
    """
    if run.state != "success":
        return "failed"
    if any(task.task_id != BUILD_TASK for task in run.failed_tasks):
        return "partial"
    publish = run.tasks.get("publish")
    return "skipped" if publish and publish.state == "skipped" else "success"


def stages(run: RunState) -> dict[str, float]:
    """Return the seconds from the first start to the last end, by task group or single task."""
    spans: dict[str, list] = {}
    for task in run.tasks.values():
        if task.started and task.ended:
            spans.setdefault(task.task_id.rpartition(".")[0] or task.task_id, []).append(task)
    ordered = sorted(spans.items(), key=lambda span: min(task.started for task in span[1]))
    lasted = {
        name: (max(task.ended for task in tasks) - min(task.started for task in tasks)).total_seconds()
        for name, tasks in ordered
    }
    return {name: seconds for name, seconds in lasted.items() if seconds >= SHORTEST_SECONDS}


def print_report(states: list[RunState], client: AirflowClient, settings: Settings) -> None:
    """Print the state, times and rows of each run, and the end of the log of each failed task."""
    from observability.metrics.summary import published_counts
    from publishing.store import store_of

    console = Console(highlight=False, soft_wrap=True)
    for run in states:
        ended = outcome(run)
        console.print(f"\n[bold]{run.dag_id}[/] [{COLOURS[ended]}]{ended}[/] in {run.seconds:.1f} s")
        for task in run.failed_tasks:
            console.print(f"  {task.name} failed at try {task.try_number}:", style="red")
            for line in client.error_lines(run, task):
                console.print(f"    {line}", markup=False)
        console.print(_columns({name: f"{seconds:.1f} s" for name, seconds in stages(run).items()}))
        counts = published_counts(run.dag_id, settings) if ended in ("success", "partial") else {}
        if counts:
            console.print()
            console.print(_columns({name: f"{rows:,}" for name, rows in counts.items()}))
            console.print(f"\n  readers open {store_of(run.dag_id, settings).location}")
    console.print("\nmake airflow shows the runs, make docs the models.")


def _columns(facts: dict[str, str]) -> Table:
    view = Table(box=None, show_header=False, padding=(0, 2))
    view.add_column()
    view.add_column(justify="right")
    for name, value in facts.items():
        view.add_row(name, value)
    return view
