"""What Airflow adds: a bare `dbt build` against a DAG run, for the real project and for 60 large models."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

from bench import bench60
from bench.measuring import copy_checkout, progress, run, spread, table

CRASHES = 20_000
ROWS = 1_000_000
ROUND = ["bare", "parts", "dag"]
LABELS = {
    "bare": "`dbt build`",
    "parts": "`dbt build` of the models, then `dbt test`",
    "dag": "DAG run",
}


def measure(quick: bool) -> tuple[str, dict]:
    """Measure both projects, each in a copy of the checkout with one started Airflow."""
    real = _take_turns("collisions", _load_crashes, ROUND * (2 if quick else 6))
    rows = 10_000 if quick else ROWS
    # Ten measured runs of the DAG, the last seven in a row.
    large = _take_turns(
        bench60.NAME,
        lambda checkout: bench60.put_into(checkout, rows),
        ROUND * 2 if quick else ROUND * 4 + ["dag"] * 7,
    )
    parts = [("collisions", real), (f"60 models of {rows:,} rows", large)]
    header = [
        "project",
        "what",
        "runs",
        "seconds",
        "ratio",
        "above `dbt build`, a model",
        "tasks retried",
    ]
    return table(header, [row for name, turns in parts for row in _rows(name, turns)]), dict(parts)


def _load_crashes(checkout: Path) -> None:
    data = checkout / "data"
    run(["-m", "cli", "samples", "collisions", "--rows", str(CRASHES)], cwd=checkout, data_dir=data)
    run(["-m", "cli", "run", "collisions"], cwd=checkout, data_dir=data)


def _take_turns(domain: str, prepare: Callable[[Path], None], turns: list[str]) -> list[dict]:
    progress(f"{domain}: {len(turns)} turns")
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        checkout = copy_checkout(Path(folder))
        prepare(checkout)
        timeout = 120 + 100 * len(turns)
        ended = run(
            ["-m", "bench.turns", domain, *turns], cwd=checkout, data_dir=checkout / "data", timeout=timeout
        )
    return [json.loads(line) for line in ended.output.splitlines() if line.startswith('{"turn"')]


def _rows(project: str, turns: list[dict]) -> list[list[str]]:
    """A table row for each kind of turn. The first of a kind fills caches and is left out of the times."""
    of = {kind: [turn for turn in turns if turn["turn"] == kind] for kind in ROUND}
    seconds = {kind: [turn["seconds"] for turn in of[kind][1:]] for kind in ROUND}
    bare = median(seconds["bare"])
    rows = []
    for kind in ROUND:
        ratios = [value / bare for value in seconds[kind]]
        above = [(value - bare) / of["dag"][0]["models"] for value in seconds[kind]]
        compared = ["", ""] if kind == "bare" else [spread(ratios, 2), f"{spread(above, 2)} s"]
        # No task may need a second try, in the first run neither.
        retried = f"{sum(len(turn['retried']) for turn in of['dag'])} in {len(of['dag'])} runs"
        times = [str(len(seconds[kind])), spread(seconds[kind])]
        rows.append([project, LABELS[kind], *times, *compared, retried if kind == "dag" else ""])
    return rows
