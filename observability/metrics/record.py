"""The metrics of every run, in the warehouse: `raw_ops.runs` and `raw_ops.stages`.

A row of `stages` is a stage of a run; its last try counts. `rows_in`, `rows_out` and `rows_failed` are
rows read, rows written, and rows rejected or in quarantine; null where the stage cannot tell. `publish`
tells of all input, `ingest_*` of what the run itself has read.

A row of `runs` adds a run up: `rows_in` is what it read, `rows_out` what it published, `rows_failed`
what it rejected and what was in quarantine as it published. It is a `success`, `partial` if its marts
are published and something else failed, `skipped` if nothing failed and no stage had anything to do, else
`failed`; `error` is the first of its errors. What ended without saying so is `interrupted`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from dlt.extract import DltResource

import settings as settings_module
from observability.metrics.journal import INTERRUPTED, Entry, note_end, read, take
from observability.metrics.ops_store import OPS, SCHEMA, merged, write
from settings import Settings
from warehouse import WAIT_SECONDS, Warehouse, connect, is_there

# The stage after which a run's data is where readers look.
PUBLISH = "publish"
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
RUNS = {"domain": "text", "run_id": "text", **_FACTS}
STAGES = {"domain": "text", "run_id": "text", "stage": "text", **_FACTS, "tries": "bigint", "note": "text"}


@dataclass(frozen=True)
class RunResult:
    """How a run ended: its row of `runs`, its rows of `stages`, and what a scheduler says has failed in it."""

    run: dict[str, Any]
    stages: list[dict[str, Any]]
    failed_tasks: tuple[str, ...] = ()

    @property
    def domain(self) -> str:
        """The pipeline."""
        return self.run["domain"]

    @property
    def run_id(self) -> str:
        """Which run."""
        return self.run["run_id"]

    @property
    def status(self) -> str:
        """Success, partial, skipped or failed."""
        return self.run["status"]

    @property
    def published(self) -> bool:
        """Whether the run has published its marts."""
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
        """Lines of what it read that are no rows."""
        return _total(stage["rows_failed"] for stage in self.stages if stage["stage"] != PUBLISH)

    @property
    def rows_quarantined(self) -> int | None:
        """Rows of all input that were in quarantine as it published."""
        return _total(stage["rows_failed"] for stage in self.stages if stage["stage"] == PUBLISH)


def outcome(domain: str, run_id: str, settings: Settings, *, failed: Sequence[str] = ()) -> RunResult:
    """How a run has ended that is not recorded yet. Needs no warehouse and writes nothing.

    Args:
        domain: the pipeline.
        run_id: the run.
        settings: which data folder and environment.
        failed: what failed in it by the account of a scheduler.
    """
    entry = replace(read(domain, run_id, settings), ended_at=datetime.now(UTC), failed=tuple(failed))
    key = {"domain": domain, "run_id": run_id}
    return RunResult(key | _sum_up(entry, []), entry.stages, entry.failed)


def last_outcome(domain: str, settings: Settings) -> RunResult | None:
    """How the last run that was recorded has ended; None if none was.

    Raises:
        WarehouseBusyError: another process kept the warehouse.
    """
    if not is_there(settings):
        return None
    with connect(settings, OPS) as warehouse:
        if not warehouse.columns(SCHEMA, "runs"):
            return None
        columns = ["domain", "run_id", *_FACTS]
        found = warehouse.execute(
            f"select {', '.join(columns)} from {SCHEMA}.runs where domain = ? order by started_at desc limit 1",
            [domain],
        ).fetchone()
        if not found:
            return None
        run = dict(zip(columns, found, strict=True))
        return RunResult(run, _known_stages(warehouse, domain, run["run_id"]))


def record(
    domain: str,
    settings: Settings | None = None,
    run_id: str | None = None,
    *,
    failed: Sequence[str] = (),
    wait_seconds: float = WAIT_SECONDS,
) -> None:
    """Bring a domain's journal into the warehouse in one load; safe to repeat, and after a kill.

    Runs that ended without a call of this function are brought in as interrupted. If such a run was
    only between two of its stages, its own call at its end puts that right.

    Args:
        domain: the pipeline.
        settings: defaults to those of the environment.
        run_id: the run that ends now, if one does.
        failed: what failed in it by the account of a scheduler, which knows of tasks that never began.
        wait_seconds: how long to wait for another process that holds the warehouse.

    Raises:
        WarehouseBusyError: another process kept the warehouse; the journal is as it was.
        MetricsError: dlt could not write; the journal is as it was.
    """
    settings = settings or settings_module.load()
    if run_id is not None:
        note_end(domain, run_id, settings, failed)
    # Whoever has the warehouse is the only one to take from the journal.
    with connect(settings, OPS, wait_seconds=wait_seconds) as warehouse, take(domain, settings) as entries:
        if not entries:
            return
        keys = [{"domain": domain, "run_id": entry.run_id} for entry in entries]
        runs = [
            key | _sum_up(entry, _known_stages(warehouse, **key))
            for key, entry in zip(keys, entries, strict=True)
        ]
        stages = [key | stage for key, entry in zip(keys, entries, strict=True) for stage in entry.stages]
        write(warehouse, settings, resources(runs, stages))
        for entry in entries:
            entry.remove()


def _sum_up(entry: Entry, known: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The row of `runs` for a run: its stages in the journal, and those `known` from an earlier load."""
    by_name = {stage["stage"]: stage for stage in [*known, *entry.stages]}
    stages = sorted(by_name.values(), key=lambda stage: stage["started_at"])
    published = PUBLISH in by_name and by_name[PUBLISH]["status"] == "success"
    errors = [stage["error"] for stage in stages if stage["status"] == "failed"]
    errors += [f"{name} failed" for name in entry.failed]
    if entry.ended_at is None:
        errors.append(INTERRUPTED)
    elif stages and not published:
        errors.append("nothing was published")
    times = [stage["ended_at"] for stage in stages if stage["ended_at"]]
    ended_at = max([entry.ended_at, *times]) if entry.ended_at else None
    started_at = min([stage["started_at"] for stage in stages], default=ended_at)
    return {
        "status": _status(published, bool(errors)),
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


def _total(counts: Iterator[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _known_stages(warehouse: Warehouse, domain: str, run_id: str) -> list[dict[str, Any]]:
    if not warehouse.columns(SCHEMA, "stages"):
        return []
    found = warehouse.execute(
        f"select {', '.join(STAGES)} from {SCHEMA}.stages where domain = ? and run_id = ?", [domain, run_id]
    )
    return [dict(zip(STAGES, row, strict=True)) for row in found.fetchall()]


def resources(runs: list[dict[str, Any]], stages: list[dict[str, Any]]) -> list[DltResource]:
    """The tables of metrics with these rows."""
    return [
        merged("runs", runs, RUNS, ("domain", "run_id")),
        merged("stages", stages, STAGES, ("domain", "run_id", "stage")),
    ]
