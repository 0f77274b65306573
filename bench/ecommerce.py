"""Ten million orders loaded, built and published, then days of 100,000 more: seconds of each part of a run."""

import tempfile
from datetime import date, timedelta
from pathlib import Path

from bench.measuring import progress, run, spread, table
from bench.stages import ALL, PARTS, against, staged_run
from settings import PROJECT_DIR

ORDERS, MORE_ORDERS, MORE_DAYS = 10_000_000, 100_000, 3
FIRST_DAY = date(2023, 1, 1)
# The days after it lie in the same month, which is rebuilt with each of them.
DAYS = 716


def measure(quick: bool) -> tuple[str, dict]:
    """Deliver orders and run the domain, on a first day and on some more."""
    orders, more = (100_000, 5_000) if quick else (ORDERS, MORE_ORDERS)
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        data = Path(folder)
        progress(f"{orders:,} orders")
        size = ("--customers", str(orders // 20), "--products", str(max(orders // 2000, 200)))
        _deliver(data, "first", *size, "--orders", str(orders), "--files", "4", "--days", str(DAYS))
        first = staged_run("ecommerce", data)
        later = []
        for number in range(MORE_DAYS):
            progress(f"{more:,} orders more, {number + 1} of {MORE_DAYS}")
            day = FIRST_DAY + timedelta(days=DAYS + number)
            _deliver(
                *(data, f"day_{number}", *size, "--only", "orders", "--orders", str(more)),
                *("--first-id", str(orders + number * more + 1), "--first-day", str(day), "--days", "1"),
            )
            later.append(staged_run("ecommerce", data))
        published = (data / "published" / "ecommerce.duckdb").stat().st_size / 1e6
    rows = [[part, *against([first], later, part)] for part in (*PARTS, ALL)]
    peaks = [f"{first.ended.peak_mb:,.0f}", spread([each.ended.peak_mb for each in later], 0), ""]
    header = ["part of the run", "first day (s)", "later day (s)", "share of the first day"]
    raw = {"first": first.to_dict(), "later": [each.to_dict() for each in later], "published_mb": published}
    return table(header, [*rows, ["peak memory (MB)", *peaks]]), raw


def _deliver(data: Path, name: str, *options: str) -> None:
    command = ["-m", "cli", "samples", "ecommerce", "--name", name, "--json", *options]
    run(command, cwd=PROJECT_DIR, data_dir=data)
