"""How long a process takes and what it needs; how results are shown."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from types import MappingProxyType

import psutil

from settings import PROJECT_DIR, Settings

PACKAGES = ("apache-airflow-core", "astronomer-cosmos", "dbt-core", "dbt-duckdb", "duckdb", "dlt")
# Kilobytes on Linux, bytes on a Mac.
MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


class MeasuringError(RuntimeError):
    """What was to be measured failed; there is no result."""


@dataclass(frozen=True)
class Ended:
    """A process that has ended well: wall time, time on the cores, most memory held (MB), its output."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    output: str


def run(
    arguments: Sequence[str],
    *,
    cwd: Path,
    data_dir: Path,
    timeout: float = 900,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> Ended:
    """Run `python <arguments>` on a data folder and measure it as a whole, from start to exit.

    Args:
        arguments: what Python is to run.
        cwd: where.
        data_dir: the data folder.
        timeout: seconds.
        variables: settings beside the data folder.

    Raises:
        MeasuringError: it failed, or was stopped after `timeout` seconds.
    """
    environment = {**os.environ, **Settings(data_dir=data_dir, env="dev").environment(), **variables}
    with tempfile.TemporaryFile("w+") as output:
        begun = time.perf_counter()
        # In a session of its own, Ctrl-C reaches it once: as the SIGTERM below, on which it stops in order.
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        late = threading.Timer(timeout, os.kill, (process.pid, signal.SIGTERM))
        late.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - begun
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            late.cancel()
            if process.returncode is None:
                process.terminate()
                process.wait()
        output.seek(0)
        text = output.read()
    if process.returncode:
        raise MeasuringError(f"{' '.join(arguments)} ended with {process.returncode}:\n{text[-3000:]}")
    return Ended(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * MAXRSS_UNIT / 1e6, text)


def cpu_of_tree() -> float:
    """Return the seconds on the cores of this process and of all below it, also of those that have ended."""
    own = psutil.Process()
    total = 0.0
    for process in [own, *own.children(recursive=True)]:
        with suppress(psutil.Error):
            total += sum(process.cpu_times()[:4])
    return total


class Peak:
    """The most memory (MB) that a process and those below it held at once, shared pages counted once."""

    mb: float = 0.0


@contextmanager
def peak_of(pid: int | None, every_seconds: float = 0.5) -> Iterator[Peak]:
    """Watch a server's memory while the block runs; nothing for None."""
    peak, ended = Peak(), threading.Event()

    def watch() -> None:
        while not ended.wait(every_seconds):
            held = 0
            with suppress(psutil.Error):
                server = psutil.Process(pid)
                for process in [server, *server.children(recursive=True)]:
                    with suppress(psutil.Error):
                        held += process.memory_full_info().pss
            peak.mb = max(peak.mb, held / 1e6)

    watcher = threading.Thread(target=watch, daemon=True)
    if pid:
        watcher.start()
    try:
        yield peak
    finally:
        ended.set()
        if pid:
            watcher.join()


def copy_checkout(to: Path) -> Path:
    """Copy the files that git has or would have, without any data; return the copy's folder."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=PROJECT_DIR, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        source, target = PROJECT_DIR / name, to / name
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    return to


def machine() -> dict[str, str]:
    """What the results depend on beside the code."""
    git = ["git", "describe", "--always", "--dirty"]
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "revision": subprocess.run(git, cwd=PROJECT_DIR, capture_output=True, text=True).stdout.strip(),
        "cores": str(psutil.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "load": f"{os.getloadavg()[0]:.1f}",
        "python": sys.version.split()[0],
        **{package: version(package) for package in PACKAGES},
    }


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Median with smallest and largest: `10.9 (10.2–11.8)`."""
    middle, least, most = (f"{value:,.{digits}f}" for value in (median(values), min(values), max(values)))
    return f"{middle} ({least}–{most})"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    return "\n".join("| " + " | ".join(row) + " |" for row in [header, ["---"] * len(header), *rows])


def progress(line: str) -> None:
    """Say what is being done, beside the results."""
    print(f"  {line}", file=sys.stderr, flush=True)
