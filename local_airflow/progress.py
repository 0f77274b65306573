"""The progress of DAG runs: a live table on a terminal, a line per change elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from rich.console import Console
from rich.live import Live
from rich.table import Table

from local_airflow.client import RunState

COLOURS = {"success": "green", "failed": "red", "upstream_failed": "red", "running": "cyan"}
WAITING = ("none", "scheduled")


@contextmanager
def progress(console: Console | None = None) -> Iterator[Callable[[list[RunState]], None]]:
    """Return a function that shows the states of runs."""
    console = console or Console()
    if not console.is_terminal:
        yield LinePrinter(console)
        return
    with Live(console=console, auto_refresh=False) as live:
        yield lambda states: live.update(table(states, console.height - 4), refresh=True)


def table(states: list[RunState], height: int) -> Table:
    """Return a table of at most `height` tasks that run or have just ended."""
    tasks = [(run.dag_id, task) for run in states for task in run.tasks.values()]
    done = sum(task.state == "success" for _, task in tasks)
    view = Table(title=f"{done} of {len(tasks)} tasks done", title_justify="left", box=None)
    for column in ("DAG", "task", "state"):
        view.add_column(column)
    view.add_column("s", justify="right")
    view.add_column("try", justify="right")
    shown = [(dag_id, task) for dag_id, task in tasks if task.state not in WAITING]
    # Failed tasks first, then running ones, then the latest successes.
    shown.sort(key=lambda row: row[1].ended or datetime.now(UTC), reverse=True)
    shown.sort(key=lambda row: row[1].state == "success")
    for dag_id, task in shown[: max(1, height)]:
        state = f"[{COLOURS.get(task.state, 'yellow')}]{task.state}[/]"
        view.add_row(dag_id, task.name, state, f"{task.seconds:.1f}", str(task.try_number))
    return view


class LinePrinter:
    """Prints `HH:MM:SS dag task state (s)` for each change since the last call."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._seen: dict[tuple[str, str], tuple[str, int]] = {}

    def __call__(self, states: list[RunState]) -> None:
        """Print the changes since the last call."""
        for run in states:
            for task in run.tasks.values():
                key, now = (run.dag_id, task.name), (task.state, task.try_number)
                if self._seen.get(key) == now or task.state in WAITING:
                    continue
                self._seen[key] = now
                again = f" try {task.try_number}" if task.try_number > 1 else ""
                line = f"{datetime.now():%H:%M:%S} {run.dag_id} {task.name} {task.state} ({task.seconds:.1f} s){again}"
                self._console.print(line, highlight=False, soft_wrap=True, markup=False)
