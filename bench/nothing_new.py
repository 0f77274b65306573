"""A run that finds nothing new: `sluice run` of each sample domain once more, beside its first run."""

import tempfile
from pathlib import Path

from bench.measuring import copy_checkout, progress, run, spread, table

RUNS = 5
DOMAINS = ("collisions", "ecommerce", "sales", "taxi")


def measure(quick: bool) -> tuple[str, dict]:
    """Run each domain on its sample input, then some times without any."""
    first: dict[str, float] = {}
    again: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        checkout = copy_checkout(Path(folder))
        data = checkout / "data"
        for domain in DOMAINS:
            progress(domain)
            run(["-m", "cli", "samples", domain], cwd=checkout, data_dir=data)
            first[domain] = run(["-m", "cli", "run", domain], cwd=checkout, data_dir=data).seconds
            # What is left out: the first one copies what dbt has parsed, and reads the files from the disk.
            times = [
                run(["-m", "cli", "run", domain], cwd=checkout, data_dir=data)
                for _ in range(2 if quick else RUNS + 1)
            ]
            again[domain] = [(each.seconds, each.cpu_seconds) for each in times[1:]]
    rows = [
        [
            domain,
            f"{first[domain]:.1f}",
            str(len(times)),
            spread([seconds for seconds, _ in times]),
            spread([cpu for _, cpu in times]),
        ]
        for domain, times in again.items()
    ]
    header = ["domain", "first run (s)", "runs", "without new input (s)", "CPU seconds"]
    return table(header, rows), {"first": first, "again": again}
