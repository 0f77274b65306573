"""`sluice run DOMAIN` as a process, with the seconds of its stages by its own metrics."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from bench.measuring import Ended, progress, run, spread
from settings import PROJECT_DIR, Settings

# Stages of a run by what they are part of; the rest of `all` are imports, the message and the metrics.
PARTS = ("load", "build and test", "publish", "reports")
ALL = "all"
_PARTS = {
    "find_changes": "build and test",
    "build": "build and test",
    "publish": "publish",
    "reports": "reports",
}


@dataclass(frozen=True)
class Staged:
    """A run that has ended, and the seconds of its parts."""

    ended: Ended
    seconds: dict[str, float]

    def to_dict(self) -> dict[str, float]:
        """JSON-ready values."""
        return {**self.seconds, "cpu_seconds": self.ended.cpu_seconds, "peak_mb": self.ended.peak_mb}


def staged_run(domain: str, data: Path, timeout: float = 900) -> Staged:
    """Run a domain. Raises MeasuringError if it fails."""
    ended = run(["-m", "cli", "run", domain], cwd=PROJECT_DIR, data_dir=data, timeout=timeout)
    seconds = dict.fromkeys(PARTS, 0.0) | {ALL: ended.seconds}
    with duckdb.connect(str(Settings(data_dir=data, env="dev").warehouse), read_only=True) as warehouse:
        latest = "select run_id from raw_ops.runs order by started_at desc limit 1"
        found = warehouse.execute(f"select stage, seconds from raw_ops.stages where run_id = ({latest})")
        for stage, value in found.fetchall():
            seconds[_PARTS.get(stage, "load")] += value
    told = ", ".join(f"{name} {value:.1f} s" for name, value in seconds.items())
    progress(f"  {told}; {ended.peak_mb:,.0f} MB")
    return Staged(ended, seconds)


def against(before: Sequence[Staged], after: Sequence[Staged], part: str) -> list[str]:
    """Return the cells of a table: seconds before and after, and their ratios in pairs."""
    first, last = ([each.seconds[part] for each in runs] for runs in (before, after))
    pairs = zip(last, first * len(last) if len(first) == 1 else first, strict=False)
    ratios = [late / early for late, early in pairs if early]
    return [spread(first), spread(last), spread(ratios, 2) if ratios else ""]
