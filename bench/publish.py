"""Publishing months of taxi trips: the first, the 36th, a changed one; rollback, promotion, and a plain copy."""

import os
import tempfile
import time
from pathlib import Path

from bench.measuring import Ended, progress, run, spread, table
from publishing.candidate import copy
from publishing.manage import rollback
from publishing.promote import promote
from settings import PROJECT_DIR, Settings
from warehouse import connect

# MONTHS includes one month for each of the last RUNS publications.
MONTHS, ROWS, RUNS = 36, 500_000, 3
FIRST = "2022-01"
# What dbt does to a month that is rebuilt.
REBUILD = (
    "create temp table month as from marts.fct_trips where file_month = date '{month}'",
    "delete from marts.fct_trips where file_month = date '{month}'",
    """
    insert into marts.fct_trips
    select * replace (tip_amount + 1 as tip_amount, get_current_timestamp()::timestamp as _built_at) from month
    """,
    "drop table month",
)


def measure(quick: bool) -> tuple[str, dict]:
    """Build one month by the pipeline, derive the others from it in the warehouse, and publish few and many months."""
    months, rows, runs = (6, 5_000, 1) if quick else (MONTHS, ROWS, RUNS)
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        settings = Settings(data_dir=Path(folder) / "dev", env="dev")
        prod = Settings(data_dir=Path(folder) / "prod", env="prod")
        data = settings.data_dir
        options = ("--months", FIRST, "--rows", str(rows), "--suffix", "csv.gz")
        run(["-m", "cli", "samples", "taxi", *options], cwd=PROJECT_DIR, data_dir=data)
        run(["-m", "cli", "run", "taxi"], cwd=PROJECT_DIR, data_dir=data)
        size = _size(settings)
        ended = {"the first month": [_first(settings) for _ in range(runs)]}
        sizes = {"the first month": size}
        add_months(settings, range(1, months - runs))
        _publish(settings)
        ended[f"one month more, at {months}"] = []
        for month in range(months - runs, months):
            add_months(settings, [month])
            ended[f"one month more, at {months}"].append(_publish(settings))
        ended[f"one month changed, at {months}"] = []
        for number in range(runs):
            _execute(settings, *(each.format(month=f"2022-{number + 2:02}-01") for each in REBUILD))
            ended[f"one month changed, at {months}"].append(_publish(settings))
        whole = f"all {months} months anew"
        ended[whole] = [_first(settings) for _ in range(1 if quick else 2)]
        size = _size(settings)
        sizes |= dict.fromkeys(list(ended)[1:], size)
        times: dict[str, list[float]] = {"plain copy and fsync": [], "rollback": [], "promotion": []}
        _execute(settings, *(each.format(month=f"{FIRST}-01") for each in REBUILD))
        _publish(settings)
        for number in range(runs):
            target = data / "copy"
            times["plain copy and fsync"].append(_timed(copy, settings.published("taxi"), target))
            target.unlink()
            to = None if number % 2 == 0 else _newest(settings)
            times["rollback"].append(_timed(rollback, "taxi", to, settings))
            times["promotion"].append(_timed(promote, "taxi", settings, prod, accept=True))
    return _table(ended, times, sizes, size), {
        "stages": {name: [vars(each) | {"output": ""} for each in runs] for name, runs in ended.items()},
        "seconds": times,
        "mb": sizes,
    }


def _first(settings: Settings) -> Ended:
    """Publish with nothing published before."""
    published = settings.published("taxi")
    published.unlink(missing_ok=True)
    for path in published.with_suffix("").glob("*"):
        path.unlink()
    return _publish(settings)


def _publish(settings: Settings) -> Ended:
    ended = run(["-m", "cli", "publish", "taxi"], cwd=PROJECT_DIR, data_dir=settings.data_dir)
    progress(f"published {_size(settings):,.0f} MB in {ended.seconds:.1f} s")
    return ended


def add_months(settings: Settings, months: range | list[int]) -> None:
    """Add later months to the fact, derived from its first month."""
    for month in months:
        later = f"to_months({month})"
        _execute(
            settings,
            f"""
            insert into marts.fct_trips
            select * replace (
                (hash(trip_key, {month}) // 2)::bigint as trip_key,
                pickup_at + {later} as pickup_at,
                dropoff_at + {later} as dropoff_at,
                (pickup_month + {later})::date as pickup_month,
                (file_month + {later})::date as file_month
            )
            from marts.fct_trips where file_month = date '{FIRST}-01'
            """,
        )


def _execute(settings: Settings, *statements: str) -> None:
    with connect(settings) as warehouse:
        for statement in statements:
            warehouse.execute(statement)


def _size(settings: Settings) -> float:
    return settings.published("taxi").stat().st_size / 1e6


def _newest(settings: Settings) -> str:
    folder = settings.published("taxi").with_suffix("")
    return max(path.stem for path in folder.glob("2*.duckdb"))


def _timed(function, *arguments, **options) -> float:
    os.sync()
    begun = time.perf_counter()
    function(*arguments, **options)
    return time.perf_counter() - begun


def _table(ended: dict[str, list[Ended]], times: dict[str, list[float]], sizes: dict, size: float) -> str:
    first = next(iter(ended.values()))
    rows = [
        [
            f"publish: {name}",
            f"{sizes[name]:,.0f}",
            spread([each.seconds for each in runs]),
            f"{min(each.seconds for each in runs) / min(each.seconds for each in first):.2f}",
            f"{sizes[name] / min(each.seconds for each in runs):,.0f}",
            spread([each.peak_mb for each in runs], 0),
        ]
        for name, runs in ended.items()
    ]
    rows += [
        [name, f"{size:,.0f}", spread(seconds, 2), "", f"{size / min(seconds):,.0f}", ""]
        for name, seconds in times.items()
    ]
    return table(["what", "MB", "seconds", "ratio to the first", "MB a second", "peak memory (MB)"], rows)
