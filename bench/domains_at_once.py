"""Two domains from input to published marts on PostgreSQL: one after the other, and at once."""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

from bench.engines import served
from bench.measuring import MeasuringError, progress, run, spread, table
from settings import PROJECT_DIR

DELIVERIES = {
    "collisions": ("--rows", "300000"),
    "ecommerce": ("--orders", "600000", "--customers", "30000", "--products", "2000"),
}
QUICK = {
    "collisions": ("--rows", "2000"),
    "ecommerce": ("--orders", "2000", "--customers", "200", "--products", "100"),
}
RUNS = 3


def measure(quick: bool) -> tuple[str, dict]:
    """Take both ways in turn, each time in a fresh database."""
    deliveries, runs = (QUICK, 1) if quick else (DELIVERIES, RUNS)
    found: dict[str, list[float]] = {"one after the other": [], "at once": []}
    for number in range(runs):
        for way, seconds in found.items():
            seconds.append(_take(deliveries, at_once=way == "at once"))
            progress(f"{way}, {number + 1} of {runs}: {seconds[-1]:.1f} s")
    one, both = found.values()
    ratios = [together / apart for apart, together in zip(one, both, strict=True)]
    rows = [
        [way, spread(seconds), spread(ratios, 2) if seconds is both else ""] for way, seconds in found.items()
    ]
    return table(["domains", "seconds", "ratio"], rows), found


def _take(deliveries: dict[str, tuple[str, ...]], *, at_once: bool) -> float:
    with (
        tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder,
        served("postgres", Path(folder)) as server,
        ThreadPoolExecutor(max_workers=len(deliveries) if at_once else 1) as pool,
    ):
        if server is None:
            raise MeasuringError("PostgreSQL is not installed")
        variables, _ = server
        data = Path(folder)
        for domain, options in deliveries.items():
            run(["-m", "cli", "samples", domain, *options], cwd=PROJECT_DIR, data_dir=data)

        def run_domain(domain: str) -> None:
            run(["-m", "cli", "run", domain], cwd=PROJECT_DIR, data_dir=data, variables=variables)

        begun = perf_counter()
        list(pool.map(run_domain, deliveries))
        return perf_counter() - begun
