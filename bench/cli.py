"""How long the command line takes to answer: help, a mistyped domain, a verb that reads little."""

import tempfile
from pathlib import Path

from bench.measuring import Ended, progress, run, spread, table
from settings import PROJECT_DIR

RUNS = 5
COMMANDS = {
    "sluice --help": ["--help"],
    "sluice run --help": ["run", "--help"],
    "sluice versions taxi": ["versions", "taxi"],
}


def measure(quick: bool) -> tuple[str, dict]:
    """Run each command some times, after a first time that does not count: it reads the files from the disk."""
    ended: dict[str, list[Ended]] = {}
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        for name, arguments in COMMANDS.items():
            progress(name)
            times = [_run(arguments, Path(folder)) for _ in range(2 if quick else RUNS + 1)]
            ended[name] = times[1:]
    rows = [
        [
            f"`{name}`",
            str(len(times)),
            spread([each.seconds for each in times], 2),
            spread([each.cpu_seconds for each in times], 2),
        ]
        for name, times in ended.items()
    ]
    raw = {name: [[each.seconds, each.cpu_seconds] for each in times] for name, times in ended.items()}
    return table(["command", "runs", "seconds", "CPU seconds"], rows), raw


def _run(arguments: list[str], data: Path) -> Ended:
    return run(["-m", "cli", *arguments], cwd=PROJECT_DIR, data_dir=data)
