"""The metrics of every run, in the warehouse: `raw_ops.runs` and `raw_ops.stages`.

A row of `stages` is a stage of a run; its last try counts. `rows_in`, `rows_out` and `rows_failed` are rows read, rows
written, and rows rejected or quarantined; null where the stage does not know. `publish` counts all input, `ingest_*` what
the run itself has read.

A row of `runs` summarizes a run: `rows_in` is what it read, `rows_out` what it published, `rows_failed` what it rejected
and what was quarantined when it published. Its status is `success`; `partial` if its marts are published, by itself or
before, and something else failed; `skipped` if nothing failed and nothing was new; else `failed`. `error` is the first of its
errors; it is `interrupted` if the run ended without recording it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import settings as settings_module
from observability.metrics.ops_store import OPS, OpsTable, write_resources
from observability.metrics.run_log import INTERRUPTED, LoggedRun, claim_runs, mark_finished, read_run
from settings import Settings
from warehouse import WAIT_SECONDS, Warehouse, connect, warehouse_exists

# After this stage readers see the data of a run.
PUBLISH = "publish"
# The stage that finds out what has new input, and its note if nothing has and all is published.
FIND_CHANGES = "find_changes"
NOTHING_NEW = "no new input"
_FACTS = {
    "status": "text",
    "started_at": "timestamp",
    "ended_at": "timestamp",
    "seconds": "double",
    "rows_in": "bigint",
    "rows_out": "bigint",
    "rows_failed": "bigint",
    "error": "text",
}
_RUN = {"domain": "text", "run_id": "text"}
RUNS = OpsTable("runs", {**_RUN, **_FACTS}, ("domain", "run_id"))
STAGES = OpsTable(
    "stages",
    {**_RUN, "stage": "text", **_FACTS, "tries": "bigint", "note": "text"},
    ("domain", "run_id", "stage"),
)


@dataclass(frozen=True)
class RunResult:
    """How a run ended.

    Attributes:
        run: its row of `runs`.
        stages: its rows of `stages`.
        failed_tasks: what failed in it according to a scheduler.
    """

    run: dict[str, Any]
    stages: list[dict[str, Any]]
    failed_tasks: tuple[str, ...] = ()

    @property
    def domain(self) -> str:
        return self.run["domain"]

    @property
    def run_id(self) -> str:
        return self.run["run_id"]

    @property
    def status(self) -> str:
        return self.run["status"]

    @property
    def published(self) -> bool:
        return self.status in ("success", "partial")

    @property
    def rows_in(self) -> int | None:
        """Rows that the run read."""
        return self.run["rows_in"]

    @property
    def rows_out(self) -> int | None:
        """Rows that it published."""
        return self.run["rows_out"]

    @property
    def rows_rejected(self) -> int | None:
        """Lines that could not be split into columns."""
        return _total(stage["rows_failed"] for stage in self.stages if stage["stage"] != PUBLISH)

    @property
    def rows_quarantined(self) -> int | None:
        """Rows of all input that were quarantined when it published."""
        return _total(stage["rows_failed"] for stage in self.stages if stage["stage"] == PUBLISH)


def run_result(domain: str, run_id: str, settings: Settings, *, failed: Sequence[str] = ()) -> RunResult:
    """Return how a run ends that is not recorded yet; needs no warehouse and writes nothing.

    Args:
        domain: the pipeline.
        run_id: the run.
        settings: which data folder and environment.
        failed: what failed in it according to a scheduler.
    """
    run = replace(read_run(domain, run_id, settings), ended_at=datetime.now(UTC), failed=tuple(failed))
    key = {"domain": domain, "run_id": run_id}
    return RunResult(key | _summarize(run, []), run.stages, run.failed)


def last_run_result(domain: str, settings: Settings) -> RunResult | None:
    """Return how the last recorded run ended; None if none is recorded.

    Raises:
        WarehouseBusyError: another process kept the warehouse.
    """
    if not warehouse_exists(settings):
        return None
    with connect(settings, OPS) as warehouse:
        runs = RUNS.read(warehouse, "where domain = ? order by started_at desc limit 1", [domain])
        return RunResult(runs[0], _recorded_stages(warehouse, domain, runs[0]["run_id"])) if runs else None


def record(
    domain: str,
    settings: Settings | None = None,
    run_id: str | None = None,
    *,
    failed: Sequence[str] = (),
    wait_seconds: float = WAIT_SECONDS,
) -> None:
    """Move a domain's run log into the warehouse in one load; safe to repeat, also after a kill.

    Runs that ended without a call of this function are recorded as interrupted. If such a run was only between two of its
    stages, the call at its own end corrects that.

    Args:
        domain: the pipeline.
        settings: defaults to those of the environment.
        run_id: the run that ends now, if one does.
        failed: what failed in it according to a scheduler, which knows of tasks that never started.
        wait_seconds: how long to wait for another process that holds the warehouse.

    Raises:
        WarehouseBusyError: another process kept the warehouse; the log is unchanged.
        MetricsError: dlt could not write; the log is unchanged.
    """
    settings = settings or settings_module.load()
    if run_id is not None:
        mark_finished(domain, run_id, settings, failed)
    # Only the process that holds the warehouse removes runs from the log.
    with (
        connect(settings, OPS, wait_seconds=wait_seconds) as warehouse,
        claim_runs(domain, settings) as logged,
    ):
        if not logged:
            return
        runs, stages = [], []
        for run in logged:
            key = {"domain": domain, "run_id": run.run_id}
            runs.append(key | _summarize(run, _recorded_stages(warehouse, **key)))
            stages += [key | stage for stage in run.stages]
        write_resources(warehouse, settings, [RUNS.resource(runs), STAGES.resource(stages)])
        for run in logged:
            run.remove()


def _summarize(run: LoggedRun, recorded: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return the row of `runs` for a run: its stages in the log, and those recorded by an earlier load."""
    by_name = {stage["stage"]: stage for stage in [*recorded, *run.stages]}
    stages = sorted(by_name.values(), key=lambda stage: stage["started_at"])
    published = PUBLISH in by_name and by_name[PUBLISH]["status"] == "success"
    errors = [stage["error"] for stage in stages if stage["status"] == "failed"]
    errors += [f"{name} failed" for name in run.failed]
    if run.ended_at is None:
        errors.append(INTERRUPTED)
    current = run.ended_at is not None and by_name.get(FIND_CHANGES, {}).get("note") == NOTHING_NEW
    if run.ended_at is not None and stages and not published and not current:
        errors.append("nothing was published")
    times = [stage["ended_at"] for stage in stages if stage["ended_at"]]
    ended_at = max([run.ended_at, *times]) if run.ended_at else None
    started_at = min([stage["started_at"] for stage in stages], default=ended_at)
    return {
        "status": _status(published or (current and bool(errors)), bool(errors)),
        "started_at": started_at,
        "ended_at": ended_at,
        "seconds": (ended_at - started_at).total_seconds() if ended_at else None,
        "rows_in": _total(stage["rows_in"] for stage in stages if stage["stage"] != PUBLISH),
        "rows_out": by_name[PUBLISH]["rows_out"] if published else None,
        "rows_failed": _total(stage["rows_failed"] for stage in stages),
        "error": errors[0] if errors else None,
    }


def _status(published: bool, failed: bool) -> str:
    if published:
        return "partial" if failed else "success"
    return "failed" if failed else "skipped"


def _total(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _recorded_stages(warehouse: Warehouse, domain: str, run_id: str) -> list[dict[str, Any]]:
    return STAGES.read(warehouse, "where domain = ? and run_id = ?", [domain, run_id])
