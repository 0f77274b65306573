"""Ten million orders loaded, built and published, then days of 100,000 more: seconds and memory of each stage."""

import tempfile
from datetime import date, timedelta
from pathlib import Path

from bench.measuring import Ended, progress, run, spread, table
from settings import DBT_PROJECT_DIR, PROJECT_DIR
from transformation.dbt import UNIT_TESTS, selectors

ORDERS, MORE_ORDERS, MORE_DAYS = 10_000_000, 100_000, 3
FIRST_DAY = date(2023, 1, 1)
# The days after it lie in the same month, which is rebuilt with each of them.
DAYS = 716
STAGES = {
    "load": ("-m", "cli", "load", "ecommerce"),
    "build and test": (
        "-m",
        "dbt.cli.main",
        "build",
        "--select",
        *selectors("ecommerce"),
        "--exclude",
        UNIT_TESTS,
    ),
    "publish": ("-m", "cli", "publish", "ecommerce"),
    "reports": ("-m", "cli", "reports", "ecommerce"),
}


def measure(quick: bool) -> tuple[str, dict]:
    """Deliver orders and run the stages as commands, one after another, on a first day and on some more."""
    orders, more = (100_000, 5_000) if quick else (ORDERS, MORE_ORDERS)
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        data = Path(folder)
        progress(f"{orders:,} orders")
        size = ("--customers", str(orders // 20), "--products", str(max(orders // 2000, 200)))
        _deliver(data, "first", *size, "--orders", str(orders), "--files", "4", "--days", str(DAYS))
        first = {name: _stage(data, name) for name in STAGES}
        later: list[dict[str, Ended]] = []
        for number in range(MORE_DAYS):
            progress(f"{more:,} orders more, {number + 1} of {MORE_DAYS}")
            day = FIRST_DAY + timedelta(days=DAYS + number)
            _deliver(
                *(data, f"day_{number}", *size, "--only", "orders", "--orders", str(more)),
                *("--first-id", str(orders + number * more + 1), "--first-day", str(day), "--days", "1"),
            )
            later.append({name: _stage(data, name) for name in STAGES})
        published = data / "published" / "ecommerce.duckdb"
        sizes = {"published_mb": published.stat().st_size / 1e6}
    return _table(orders, first, later), {
        "first": _raw(first),
        "later": [_raw(day) for day in later],
        **sizes,
    }


def _deliver(data: Path, name: str, *options: str) -> None:
    run(
        ["-m", "cli", "samples", "ecommerce", "--name", name, "--json", *options],
        cwd=PROJECT_DIR,
        data_dir=data,
    )


def _stage(data: Path, name: str) -> Ended:
    cwd = DBT_PROJECT_DIR if name == "build and test" else PROJECT_DIR
    ended = run(STAGES[name], cwd=cwd, data_dir=data)
    progress(f"  {name}: {ended.seconds:.1f} s, {ended.peak_mb:,.0f} MB")
    return ended


def _raw(stages: dict[str, Ended]) -> dict[str, dict]:
    names = ("seconds", "cpu_seconds", "peak_mb")
    return {stage: {name: getattr(ended, name) for name in names} for stage, ended in stages.items()}


def _table(orders: int, first: dict[str, Ended], later: list[dict[str, Ended]]) -> str:
    rows = []
    for name in (*STAGES, "all"):
        begun = list(first.values()) if name == "all" else [first[name]]
        seconds = sum(ended.seconds for ended in begun)
        days = [list(day.values()) if name == "all" else [day[name]] for day in later]
        again = [sum(ended.seconds for ended in day) for day in days]
        peak = max(ended.peak_mb for ended in begun)
        peaks = [max(ended.peak_mb for ended in day) for day in days]
        shares = [value / seconds for value in again]
        rows.append(
            [
                name,
                f"{seconds:.1f}",
                f"{orders / seconds:,.0f}",
                f"{peak:,.0f}",
                spread(again),
                spread(peaks, 0),
            ]
            + [spread(shares, 2)]
        )
    header = ["stage", "first day: seconds", "orders a second", "peak memory (MB)"]
    return table([*header, "later day: seconds", "peak memory (MB)", "share of the first day"], rows)
