"""Month after month of taxi trips loaded, built and published: what the last ones cost against the first."""

import tempfile
from itertools import islice
from pathlib import Path

from bench.measuring import progress, run, spread, table
from bench.stages import ALL, PARTS, Staged, against, staged_run
from settings import PROJECT_DIR

MONTHS = [f"{year}-{month:02}" for year in (2022, 2023, 2024) for month in range(1, 13)]
ROWS = 500_000
# Of the months at each end, so many are measured. The very first is not: it builds what never changes afterwards.
ENDS = 3


def measure(quick: bool) -> tuple[str, dict]:
    """Run the domain for the first months one by one, then for all between, then for the last ones one by one."""
    months, rows, ends = (MONTHS[:7], 5_000, 1) if quick else (MONTHS, ROWS, ENDS)
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        data = Path(folder)
        ordered = iter(months)
        very_first, *first = [_month(data, month, rows) for month in islice(ordered, ends + 1)]
        for month in islice(ordered, len(months) - 2 * ends - 1):
            _deliver(data, month, rows)
        progress("all months between")
        staged_run("taxi", data, timeout=3600)
        last = [_month(data, month, rows) for month in ordered]
        published = (data / "published" / "taxi.duckdb").stat().st_size / 1e6
    table_rows = [[part, *against(first, last, part)] for part in (*PARTS[:3], ALL)]
    peaks = [spread([each.ended.peak_mb for each in runs], 0) for runs in (first, last)]
    header = ["part of the run", "first months (s)", "last months (s)", "ratio"]
    raw = {
        "very_first": very_first.to_dict(),
        "first": [each.to_dict() for each in first],
        "last": [each.to_dict() for each in last],
        "published_mb": published,
    }
    return table(header, [*table_rows, ["peak memory (MB)", *peaks, ""]]), raw


def _month(data: Path, month: str, rows: int) -> Staged:
    progress(month)
    _deliver(data, month, rows)
    return staged_run("taxi", data)


def _deliver(data: Path, month: str, rows: int) -> None:
    options = ("--months", month, "--rows", str(rows), "--suffix", "csv.gz")
    run(["-m", "cli", "samples", "taxi", *options], cwd=PROJECT_DIR, data_dir=data)
