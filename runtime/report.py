"""What a person reads when DAGs have finished."""

from rich.console import Console
from rich.table import Table

from runtime.client import AirflowClient, RunState
from settings import Settings

SUCCESS, PARTIAL, FAILED = 0, 1, 2
# The build that the models watch ends as failed when one model failed in it. If the run succeeded all
# the same, that model's own retry has repaired it.
BUILD_TASK = "dbt_producer_watcher"


def exit_status(states: list[RunState]) -> int:
    """0 all succeeded, 1 a task that is not critical failed, 2 a run failed."""
    if any(state.state != "success" for state in states):
        return FAILED
    failed = [task for state in states for task in state.failed_tasks if task.task_id != BUILD_TASK]
    return PARTIAL if failed else SUCCESS


def stages(run: RunState) -> dict[str, float]:
    """Seconds from the first start to the last end in each task group, and of each task outside of one."""
    spans: dict[str, list] = {}
    for task in run.tasks.values():
        if task.started and task.ended:
            spans.setdefault(task.task_id.rpartition(".")[0] or task.task_id, []).append(task)
    ordered = sorted(spans.items(), key=lambda span: min(task.started for task in span[1]))
    return {
        name: (max(task.ended for task in tasks) - min(task.started for task in tasks)).total_seconds()
        for name, tasks in ordered
    }


def print_report(states: list[RunState], client: AirflowClient, settings: Settings) -> None:
    """Print state, time, rows and, for what failed, the end of its log."""
    from operations.summary import collect

    console = Console(highlight=False, soft_wrap=True)
    for run in states:
        colour = "green" if run.state == "success" else "red"
        console.print(f"\n[bold]{run.dag_id}[/] [{colour}]{run.state}[/] in {run.seconds:.1f} s")
        for task in run.failed_tasks:
            console.print(f"  {task.task_id} failed at try {task.try_number}:", style="red")
            for line in client.error_lines(run, task):
                console.print(f"    {line}", markup=False)
        console.print(_columns({name: f"{seconds:.1f} s" for name, seconds in stages(run).items()}))
        if run.state == "success":
            console.print()
            console.print(_columns({name: f"{rows:,}" for name, rows in collect(run.dag_id).items()}))
            console.print(f"\n  readers open {settings.published(run.dag_id)}")
    console.print("\nmake airflow shows the runs, make docs the models.")


def _columns(facts: dict[str, str]) -> Table:
    view = Table(box=None, show_header=False, padding=(0, 2))
    view.add_column()
    view.add_column(justify="right")
    for name, value in facts.items():
        view.add_row(name, value)
    return view
