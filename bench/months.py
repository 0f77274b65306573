"""Month after month of taxi trips loaded, built and published: what the last ones cost against the first."""

import tempfile
from itertools import islice
from pathlib import Path

from bench.measuring import Ended, progress, run, spread, table
from settings import DBT_PROJECT_DIR, PROJECT_DIR
from transformation.dbt import UNIT_TESTS, selectors

MONTHS = [f"{year}-{month:02}" for year in (2022, 2023, 2024) for month in range(1, 13)]
ROWS = 500_000
# Of the months at each end, so many are measured.
ENDS = 3
BUILD = ("-m", "dbt.cli.main", "build", "--select", *selectors("taxi"), "--exclude", UNIT_TESTS)
STAGES = ("load", "build and test", "publish")


def measure(quick: bool) -> tuple[str, dict]:
    """Load, build and publish the first months one by one, then all between, then the last ones one by one."""
    months, rows, ends = (MONTHS[:6], 5_000, 1) if quick else (MONTHS, ROWS, ENDS)
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        data = Path(folder)
        ordered = iter(months)
        first = [_month(data, month, rows) for month in islice(ordered, ends)]
        for month in islice(ordered, len(months) - 2 * ends):
            _load(data, month, rows)
        _build(data)
        _publish(data)
        last = [_month(data, month, rows) for month in ordered]
        published = data / "published" / "taxi.duckdb"
        sizes = {"published_mb": published.stat().st_size / 1e6}
    return _table(first, last), {"first": _raw(first), "last": _raw(last), **sizes}


def _month(data: Path, month: str, rows: int) -> dict[str, Ended]:
    ended = {"load": _load(data, month, rows), "build and test": _build(data), "publish": _publish(data)}
    seconds = ", ".join(f"{name} {stage.seconds:.1f} s" for name, stage in ended.items())
    progress(f"{month}: {seconds}")
    return ended


def _load(data: Path, month: str, rows: int) -> Ended:
    options = ("--months", month, "--rows", str(rows), "--suffix", "csv.gz")
    run(["-m", "cli", "samples", "taxi", *options], cwd=PROJECT_DIR, data_dir=data)
    return run(["-m", "cli", "load", "taxi", "--month", month], cwd=PROJECT_DIR, data_dir=data)


def _build(data: Path) -> Ended:
    return run(BUILD, cwd=DBT_PROJECT_DIR, data_dir=data)


def _publish(data: Path) -> Ended:
    return run(["-m", "cli", "publish", "taxi"], cwd=PROJECT_DIR, data_dir=data)


def _raw(months: list[dict[str, Ended]]) -> list[dict[str, dict]]:
    names = ("seconds", "cpu_seconds", "peak_mb")
    return [
        {stage: {name: getattr(ended, name) for name in names} for stage, ended in month.items()}
        for month in months
    ]


def _table(first: list[dict[str, Ended]], last: list[dict[str, Ended]]) -> str:
    rows = []
    for stage in STAGES:
        begun, ended = ([month[stage] for month in months] for months in (first, last))
        ratios = [after.seconds / before.seconds for before, after in zip(begun, ended, strict=True)]
        rows.append(
            [
                stage,
                *(spread([month.seconds for month in months]) for months in (begun, ended)),
                spread(ratios, 2),
                *(spread([month.peak_mb for month in months], 0) for months in (begun, ended)),
            ]
        )
    header = ["stage", "first months: seconds", "last months: seconds", "ratio"]
    return table([*header, "first: peak memory (MB)", "last: peak memory (MB)"], rows)
