"""What Airflow adds: bare `dbt` against a DAG run, for the real project and for 60, 185 and 800 generated models."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

from bench import generated_models
from bench.measuring import copy_checkout, progress, run, spread, table

CRASHES = 20_000
ROWS = 1_000_000
ROUND = ["bare", "parts", "dag"]
# Without the tests, as the producer builds them.
PRODUCER_ROUND = ["models", "dag"]
LABELS = {
    "bare": "`dbt build`",
    "parts": "`dbt build` of the models, then `dbt test`",
    "models": "models by `dbt build`, as the producer",
    "dag": "DAG run",
}


MANY_HEADER = [
    "models",
    "runs",
    "dbt alone (s)",
    "build in a DAG run (s)",
    "ratio",
    "CPU seconds of the DAG run",
    "peak memory of Airflow (MB)",
]


def measure(quick: bool) -> tuple[str, dict]:
    """Measure both projects, each in a copy of the checkout with one started Airflow."""
    real = _take_turns("collisions", _load_crashes, ROUND * (2 if quick else 6))
    rows = 10_000 if quick else ROWS
    # Ten measured runs of the DAG, the last seven in a row.
    large = _take_turns(
        generated_models.NAME,
        lambda checkout: generated_models.put_into(checkout, rows, 60, 15),
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
    many = [(models, _many(models, quick)) for models in ((60,) if quick else (185, 800))]
    tables = [
        table(header, [row for name, turns in parts for row in _rows(name, turns)]),
        table(MANY_HEADER, [_many_row(models, turns) for models, turns in many]),
    ]
    return "\n\n".join(tables), {**dict(parts), **{f"{models} models": turns for models, turns in many}}


def _many(models: int, quick: bool) -> list[dict]:
    """Compare the part of a DAG run that builds many small models with dbt alone."""
    return _take_turns(
        generated_models.NAME,
        lambda checkout: generated_models.put_into(checkout, 1000, models, max(10, models // 8)),
        PRODUCER_ROUND * (2 if quick or models > 500 else 4),
        seconds_a_turn=100 + models,
    )


def _many_row(models: int, turns: list[dict]) -> list[str]:
    alone = [turn["seconds"] for turn in turns if turn["turn"] == "models"][1:]
    dags = [turn for turn in turns if turn["turn"] == "dag"][1:]
    ratios = [turn["build_seconds"] / median(alone) for turn in dags]
    return [
        str(models),
        str(len(dags)),
        spread(alone),
        spread([turn["build_seconds"] for turn in dags]),
        spread(ratios, 2),
        spread([turn["cpu_seconds"] for turn in dags]),
        spread([turn["peak_mb"] for turn in dags], 0),
    ]


def _load_crashes(checkout: Path) -> None:
    data = checkout / "data"
    run(["-m", "cli", "samples", "collisions", "--rows", str(CRASHES)], cwd=checkout, data_dir=data)
    run(["-m", "cli", "run", "collisions"], cwd=checkout, data_dir=data)


def _take_turns(
    domain: str, prepare: Callable[[Path], None], turns: list[str], seconds_a_turn: int = 100
) -> list[dict]:
    progress(f"{domain}: {len(turns)} turns")
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        checkout = copy_checkout(Path(folder))
        prepare(checkout)
        timeout = 120 + seconds_a_turn * len(turns)
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
