"""The run log: what the stages of runs record about themselves while they run.

Each stage of a run has a file, `run_logs/<env>/<domain>/<run>/<stage>.jsonl`, to which it appends an event when it starts
and when it ends. That needs no warehouse and survives a crash: a stage that has started, has not ended and is not held
open by a process was interrupted. `observability.metrics.record` moves the log into the warehouse.
"""

import fcntl
import json
import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, unquote

from common.files import fitting_name
from settings import Settings

INTERRUPTED = "interrupted"
# Of the first and the last line of an error.
LINE_LENGTH = 300
# A process that has recorded the end of its stage closes the file at once.
CLOSE_SECONDS = 5.0
STAGE = ".jsonl"
# Records that a run has finished, and what failed in it.
FINISHED = "finished.json"


@dataclass
class StageMetrics:
    """What a stage measures: rows read, written, and rejected or quarantined; a note."""

    rows_in: int | None = None
    rows_out: int | None = None
    rows_failed: int | None = None
    note: str | None = None


def shell_run_id() -> str:
    """Return a new id for a run in a shell, in the form of Airflow's ids."""
    return f"shell__{_now()}"


@contextmanager
def stage(domain: str, run_id: str, name: str, settings: Settings) -> Iterator[StageMetrics]:
    """Record a stage of a run while the block runs; an exception that leaves the block is its error.

    Args:
        domain: the pipeline.
        run_id: the run that the stage belongs to.
        name: the stage; the same name again is a further try. The end of a very long one is replaced by a hash.
        settings: which data folder and environment.
    """
    metrics = StageMetrics()
    with _open(_folder(domain, run_id, settings) / fitting_name(name, STAGE)) as file:
        _append(file, started_at=_now())
        try:
            yield metrics
        except BaseException as error:
            _append(file, ended_at=_now(), error=_one_line(error), **asdict(metrics))
            raise
        _append(file, ended_at=_now(), error=None, **asdict(metrics))


def mark_repaired(domain: str, run_id: str, name: str, settings: Settings, note: str) -> None:
    """Record that others have repaired a stage that failed; nothing if it did not fail."""
    path = _folder(domain, run_id, settings) / fitting_name(name, STAGE)
    if path.exists() and _read_stage(path)["status"] == "failed":
        with _open(path) as file:
            _append(file, ended_at=_now(), error=None, **asdict(StageMetrics(note=note)))


def mark_finished(domain: str, run_id: str, settings: Settings, failed: Sequence[str] = ()) -> None:
    """Record that a run has finished, and what failed in it according to a scheduler."""
    with _open(_folder(domain, run_id, settings) / FINISHED) as file:
        _append(file, at=_now(), failed=list(failed))


@dataclass(frozen=True)
class LoggedRun:
    """A run in the log.

    Attributes:
        folder: its files.
        run_id: which run.
        stages: one dict per stage, with the columns of `raw_ops.stages` except domain and run.
        ended_at: when the run recorded that it has finished; None if it did not.
        failed: what failed in it according to a scheduler.
    """

    folder: Path
    run_id: str
    stages: list[dict[str, Any]]
    ended_at: datetime | None
    failed: tuple[str, ...]

    def remove(self) -> None:
        """Remove the run from the log; its end last, so that it stays finished if the process is killed in between."""
        for path in self.folder.glob(f"*{STAGE}"):
            path.unlink()
        (self.folder / FINISHED).unlink(missing_ok=True)
        with suppress(OSError):  # a stage of the run starts at this moment
            self.folder.rmdir()


@contextmanager
def claim_runs(domain: str, settings: Settings) -> Iterator[list[LoggedRun]]:
    """Lock the runs of a domain in the log while the block runs; for one caller at a time.

    A run with a running stage is left out. A run between two stages is not: its next stage waits until the block has
    ended.
    """
    log = settings.run_logs(domain)
    folders = sorted(path for path in log.iterdir() if path.is_dir()) if log.exists() else []
    with ExitStack() as held:
        yield [run for folder in folders if (run := _claim(folder, held))]


def read_run(domain: str, run_id: str, settings: Settings) -> LoggedRun:
    """Return a run as it is in the log now; without stages if it is not there."""
    folder = _folder(domain, run_id, settings)
    rows = [_read_stage(path) for path in sorted(folder.glob(f"*{STAGE}"))]
    return LoggedRun(folder, run_id, [row for row in rows if row["tries"]], ended_at=None, failed=())


def _claim(folder: Path, held: ExitStack) -> LoggedRun | None:
    finished = _events(folder / FINISHED) if (folder / FINISHED).exists() else []
    stages = []
    for path in sorted(folder.glob(f"*{STAGE}")):
        file = held.enter_context(path.open())
        # A process that outlives its finished run is not waited for.
        if not _lock(file, CLOSE_SECONDS if finished else 0) and not finished:
            return None
        stages.append(_read_stage(path))
    if not stages and not finished:
        with suppress(OSError):
            folder.rmdir()
        return None
    return LoggedRun(
        folder,
        run_id=unquote(folder.name),
        stages=[row for row in stages if row["tries"]],
        ended_at=datetime.fromisoformat(finished[0]["at"]) if finished else None,
        failed=tuple(finished[-1]["failed"]) if finished else (),
    )


def _read_stage(path: Path) -> dict[str, Any]:
    tries, started_at, end = 0, None, None
    for event in _events(path):
        if "started_at" in event:
            tries, started_at, end = tries + 1, datetime.fromisoformat(event["started_at"]), None
        else:
            end = event
    end = end or {"ended_at": None, "error": INTERRUPTED, **asdict(StageMetrics())}
    ended_at = datetime.fromisoformat(end["ended_at"]) if end["ended_at"] else None
    return {
        "stage": path.stem,
        "status": "failed" if end["error"] else "success",
        "started_at": started_at,
        "seconds": (ended_at - started_at).total_seconds() if ended_at and started_at else None,
        "tries": tries,
        **end,
        "ended_at": ended_at,
    }


def _events(path: Path) -> list[dict[str, Any]]:
    events = []
    for line in path.read_text().splitlines():
        with suppress(ValueError):  # an empty line, or half a line of a process that was killed
            events.append(json.loads(line))
    return events


def _append(file: IO[str], **event: Any) -> None:
    # On a line of its own, even after half a line.
    file.write(f"\n{json.dumps(event)}\n")
    file.flush()


def _open(path: Path) -> IO[str]:
    """Open a file of the log to append to it; until it is closed, others see that it is in use."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            file = path.open("a")
        except FileNotFoundError:  # the run was removed from the log at this moment
            continue
        fcntl.flock(file, fcntl.LOCK_SH)
        if path.exists() and os.path.samestat(path.stat(), os.fstat(file.fileno())):
            return file
        file.close()


def _lock(file: IO[str], seconds: float) -> bool:
    """Lock a file exclusively; return False if a process still appends to it after this time."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.05)
        else:
            return True


def _folder(domain: str, run_id: str, settings: Settings) -> Path:
    return settings.run_logs(domain) / quote(run_id, safe=":+")


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _one_line(error: BaseException) -> str:
    """Return the first and the last line of an error in one line, without secrets."""
    if not isinstance(error, Exception):  # Ctrl-C, or a scheduler that ends the process
        return INTERRUPTED
    lines = [line.strip() for line in str(error).splitlines()]
    # dbt ends with the macros on the way to the error, each after a ">".
    lines = [line for line in lines if line and not line.startswith(">")] or [type(error).__name__]
    ends = [lines[0], lines[-1]] if len(lines) > 1 else lines
    return " … ".join(without_secrets(line)[:LINE_LENGTH] for line in ends)


def without_secrets(text: str) -> str:
    """Return the text without secrets: those in URLs, in settings such as `token=…`, and in environment variables."""
    for name, value in os.environ.items():
        if len(value) >= 8 and re.search(r"PASSWORD|SECRET|TOKEN|CREDENTIAL|WEBHOOK|_KEY$", name.upper()):
            text = text.replace(value, "***")
    text = re.sub(r"(?<=://)[^/\s@]+@", "***@", text)
    return re.sub(r"(?i)(password|passwd|pwd|secret|token|api_?key)(\s*[=:]\s*)[^\s&,;]+", r"\1\2***", text)
