"""The journal: what the stages of runs note about themselves while the runs go on.

Each stage of a run has a file, `journal/<env>/<domain>/<run>/<stage>.jsonl`, to which it appends when it
begins and when it ends. That needs no warehouse and outlives a crash: a stage that has begun, has not
ended and is not held open by a process was interrupted. `observability.metrics.record` brings the journal into
the warehouse.
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
# Of the first and of the last line of an error.
LINE_LENGTH = 300
# A process that has noted the end of its stage lets go of the file at once.
LET_GO_SECONDS = 5.0
# Of the file of a stage.
STAGE = ".jsonl"
# The file that says of a run that it came to its end, and what failed in it.
ENDED = "ended.json"


@dataclass
class Measured:
    """What a stage can tell about itself: rows read, written, and rejected or in quarantine; a note."""

    rows_in: int | None = None
    rows_out: int | None = None
    rows_failed: int | None = None
    note: str | None = None


def shell_run_id() -> str:
    """A new id for a run that is started from a shell, in the form that Airflow's ids have."""
    return f"shell__{_now()}"


@contextmanager
def stage(domain: str, run_id: str, name: str, settings: Settings) -> Iterator[Measured]:
    """Note a stage of a run while the block runs; an exception that leaves the block is its error.

    Args:
        domain: the pipeline.
        run_id: the run that the stage belongs to.
        name: the stage; the same name again is a further try. The end of a very long one is replaced by a hash.
        settings: which data folder and environment.
    """
    measured = Measured()
    with _open(_folder(domain, run_id, settings) / fitting_name(name, STAGE)) as file:
        _append(file, started_at=_now())
        try:
            yield measured
        except BaseException as error:
            _append(file, ended_at=_now(), error=_one_line(error), **asdict(measured))
            raise
        _append(file, ended_at=_now(), error=None, **asdict(measured))


def note_repair(domain: str, run_id: str, name: str, settings: Settings, note: str) -> None:
    """Note that others have made good a stage that failed; nothing if it did not fail."""
    path = _folder(domain, run_id, settings) / fitting_name(name, STAGE)
    if path.exists() and _read_stage(path)["status"] == "failed":
        with _open(path) as file:
            _append(file, ended_at=_now(), error=None, **asdict(Measured(note=note)))


def note_end(domain: str, run_id: str, settings: Settings, failed: Sequence[str] = ()) -> None:
    """Note that a run has come to its end, and what failed in it by the account of a scheduler."""
    with _open(_folder(domain, run_id, settings) / ENDED) as file:
        _append(file, at=_now(), failed=list(failed))


@dataclass(frozen=True)
class Entry:
    """A run as it stands in the journal.

    Attributes:
        folder: where.
        run_id: which run.
        stages: one dict a stage, with the columns of `raw_ops.stages` but domain and run.
        ended_at: when the run said that it has come to its end, if it did.
        failed: what it said has failed.
    """

    folder: Path
    run_id: str
    stages: list[dict[str, Any]]
    ended_at: datetime | None
    failed: tuple[str, ...]

    def remove(self) -> None:
        """Take the run out of the journal; its end last, so that a kill in between leaves it ended."""
        for path in self.folder.glob(f"*{STAGE}"):
            path.unlink()
        (self.folder / ENDED).unlink(missing_ok=True)
        with suppress(OSError):  # a stage of the run begins at this moment
            self.folder.rmdir()


@contextmanager
def take(domain: str, settings: Settings) -> Iterator[list[Entry]]:
    """The runs of a domain in the journal, for as long as the block runs; for one caller at a time.

    A run of which a stage is under way is left out. One that pauses between two stages is not: who
    notes its next stage waits until the block has ended.
    """
    journal = settings.journal(domain)
    folders = sorted(path for path in journal.iterdir() if path.is_dir()) if journal.exists() else []
    with ExitStack() as held:
        yield [entry for folder in folders if (entry := _take(folder, held))]


def read(domain: str, run_id: str, settings: Settings) -> Entry:
    """A run as it stands in the journal now, and stays; without stages if nothing of it is there."""
    folder = _folder(domain, run_id, settings)
    rows = [_read_stage(path) for path in sorted(folder.glob(f"*{STAGE}"))]
    return Entry(folder, run_id, [row for row in rows if row["tries"]], ended_at=None, failed=())


def _take(folder: Path, held: ExitStack) -> Entry | None:
    ended = _events(folder / ENDED) if (folder / ENDED).exists() else []
    stages = []
    for path in sorted(folder.glob(f"*{STAGE}")):
        file = held.enter_context(path.open())
        # Of a run that has ended, a process that should no longer be there is not waited for.
        if not _lock(file, LET_GO_SECONDS if ended else 0) and not ended:
            return None
        stages.append(_read_stage(path))
    if not stages and not ended:
        with suppress(OSError):
            folder.rmdir()
        return None
    return Entry(
        folder,
        run_id=unquote(folder.name),
        stages=[row for row in stages if row["tries"]],
        ended_at=datetime.fromisoformat(ended[0]["at"]) if ended else None,
        failed=tuple(ended[-1]["failed"]) if ended else (),
    )


def _read_stage(path: Path) -> dict[str, Any]:
    tries, started_at, end = 0, None, None
    for event in _events(path):
        if "started_at" in event:
            tries, started_at, end = tries + 1, datetime.fromisoformat(event["started_at"]), None
        else:
            end = event
    if end is None:
        end = {"ended_at": None, "error": INTERRUPTED, **asdict(Measured())}
    ended_at = datetime.fromisoformat(end["ended_at"]) if end["ended_at"] else None
    return {
        "stage": path.stem,
        "status": "failed" if end["error"] else "success",
        "started_at": started_at,
        "ended_at": ended_at,
        "seconds": (ended_at - started_at).total_seconds() if ended_at and started_at else None,
        "rows_in": end["rows_in"],
        "rows_out": end["rows_out"],
        "rows_failed": end["rows_failed"],
        "tries": tries,
        "error": end["error"],
        "note": end["note"],
    }


def _events(path: Path) -> list[dict[str, Any]]:
    events = []
    for line in path.read_text().splitlines():
        with suppress(ValueError):  # an empty line, or half a one of a process that was killed
            events.append(json.loads(line))
    return events


def _append(file: IO[str], **event: Any) -> None:
    # On a line of its own, also after half a line.
    file.write(f"\n{json.dumps(event)}\n")
    file.flush()


def _open(path: Path) -> IO[str]:
    """Open a file of the journal to append to it; until it is closed, all can see that it is in use."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            file = path.open("a")
        except FileNotFoundError:  # the run was taken out of the journal at this moment
            continue
        fcntl.flock(file, fcntl.LOCK_SH)
        if path.exists() and os.path.samestat(path.stat(), os.fstat(file.fileno())):
            return file
        file.close()


def _lock(file: IO[str], seconds: float) -> bool:
    """Lock a file against those who append to it; False if one of them still does after this time."""
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
    return settings.journal(domain) / quote(run_id, safe=":+")


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _one_line(error: BaseException) -> str:
    """An error in one line: what it begins with and what it comes down to, without secrets."""
    if not isinstance(error, Exception):  # Ctrl-C, or a scheduler that ends the process
        return INTERRUPTED
    lines = [line.strip() for line in str(error).splitlines()]
    # dbt ends with the macros on the way to the error, each after a ">".
    lines = [line for line in lines if line and not line.startswith(">")] or [type(error).__name__]
    ends = [lines[0], lines[-1]] if len(lines) > 1 else lines
    return " … ".join(without_secrets(line)[:LINE_LENGTH] for line in ends)


def without_secrets(text: str) -> str:
    """The text without what is secret in URLs, in settings such as `token=…`, and in the environment."""
    for name, value in os.environ.items():
        if len(value) >= 8 and re.search(r"PASSWORD|SECRET|TOKEN|CREDENTIAL|WEBHOOK|_KEY$", name.upper()):
            text = text.replace(value, "***")
    text = re.sub(r"(?<=://)[^/\s@]+@", "***@", text)
    return re.sub(r"(?i)(password|passwd|pwd|secret|token|api_?key)(\s*[=:]\s*)[^\s&,;]+", r"\1\2***", text)
