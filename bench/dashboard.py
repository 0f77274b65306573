"""Pages of the dashboard on ten million orders and 36 months of trips: seconds until the heading and until all is shown.

The first visitor of a page waits for its queries; the others get the answers that the server has kept.
"""

import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser

from bench.browser import launched, serve, settled
from bench.measuring import progress, run, spread, table
from bench.publish import FIRST, add_months
from settings import DBT_PROJECT_DIR, PROJECT_DIR, Settings

ORDERS, MONTHS, TRIPS, RUNS = 10_000_000, 36, 500_000, 5
PAGES = ("overview", "ecommerce", "taxi", "quality", "runs")
AGGREGATES = (
    "-m",
    "dbt.cli.main",
    "build",
    "--select",
    "fct_trips+",
    "--exclude",
    "fct_trips",
    "resource_type:test",
)


def measure(quick: bool) -> tuple[str, dict]:
    """Publish both domains at full size, serve the dashboard, and open each page several times in a new tab."""
    orders, months, trips, runs = (20_000, 3, 2_000, 1) if quick else (ORDERS, MONTHS, TRIPS, RUNS)
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        settings = Settings(data_dir=Path(folder) / "data", env="dev")
        _publish(settings, orders, months, trips)
        with serve(settings) as url, launched() as browser:
            # Not measured: the first visitor of a server also waits for its imports.
            _open(browser, f"{url}/explore")
            times = {page: [_open(browser, f"{url}/{page}") for _ in range(runs + 1)] for page in PAGES}
    rows = [
        [
            page,
            f"{first[1]:.2f}",
            *(spread([each[side] for each in others], 2) for side in (0, 1)),
        ]
        for page, (first, *others) in times.items()
    ]
    header = ["page", "all of it, first visitor: seconds", "heading: seconds", "all of it: seconds"]
    return table(header, rows), {"seconds": times}


def _publish(settings: Settings, orders: int, months: int, trips: int) -> None:
    data = settings.data_dir
    many = ("--orders", str(orders), "--customers", str(orders // 20), "--files", "4")
    run(["-m", "cli", "samples", "ecommerce", *many], cwd=PROJECT_DIR, data_dir=data)
    progress(f"{orders:,} orders")
    run(["-m", "cli", "run", "ecommerce"], cwd=PROJECT_DIR, data_dir=data)
    month = ("--months", FIRST, "--rows", str(trips), "--suffix", "csv.gz")
    run(["-m", "cli", "samples", "taxi", *month], cwd=PROJECT_DIR, data_dir=data)
    progress(f"{months} months of {trips:,} trips")
    run(["-m", "cli", "run", "taxi"], cwd=PROJECT_DIR, data_dir=data)
    add_months(settings, range(1, months))
    run(AGGREGATES, cwd=DBT_PROJECT_DIR, data_dir=data)
    run(["-m", "cli", "publish", "taxi"], cwd=PROJECT_DIR, data_dir=data)
    run(["-m", "cli", "health"], cwd=PROJECT_DIR, data_dir=data)


def _open(browser: Browser, url: str) -> tuple[float, float]:
    """Seconds until the heading of a page is shown, and until all of it is."""
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    begun = time.perf_counter()
    page.goto(url)
    page.wait_for_selector("h1")
    heading = time.perf_counter() - begun
    settled(page)
    ended = time.perf_counter() - begun
    page.close()
    return heading, ended
