"""The goals, what was measured of them last, and a picture of both; reads the results of the other benchmarks."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from statistics import median
from typing import Any

from bench.measuring import table
from settings import PROJECT_DIR, load

PICTURE = PROJECT_DIR / "bench" / "goals.svg"
# Of the picture, in pixels.
LABEL, SCALE, ROW, MOST = 430, 150, 24, 3.0
KEPT, MISSED = "#2f7d5b", "#b5533c"


@dataclass(frozen=True)
class Goal:
    """A goal: what is measured, by which benchmark, how it is read from the results, and the most that it may be.

    If `at_least` is set, it is the least.
    """

    what: str
    benchmark: str
    read: Callable[[Any], float]
    goal: float
    unit: str = ""
    at_least: bool = False


def _part(raw: dict, part: str) -> float:
    """Return the median ratio of a part of the run in the last months to the first ones."""
    return median(late[part] / early[part] for early, late in zip(raw["first"], raw["last"], strict=True))


def _later_day(raw: dict) -> float:
    return median(day["all"] for day in raw["later"]) / raw["first"]["all"]


def _rate(raw: dict, way: str) -> float:
    found = next(iter(raw.values()))
    base = next(runs for name, runs in found.items() if name.startswith("DuckDB"))
    own = next(runs for name, runs in found.items() if name == way)
    return median(other["seconds"] / each["seconds"] for each, other in zip(own, base, strict=True))


def _dag(raw: dict, project: str) -> float:
    turns = next(turns for name, turns in raw.items() if name.startswith(project))
    of = {kind: [turn for turn in turns if turn["turn"] == kind][1:] for kind in ("bare", "models", "dag")}
    if of["models"]:
        alone = median(turn["seconds"] for turn in of["models"])
        return median(turn["build_seconds"] for turn in of["dag"]) / alone
    return median(turn["seconds"] for turn in of["dag"]) / median(turn["seconds"] for turn in of["bare"])


GOALS = (
    Goal("a later day of 100,000 orders / 10 million on the first day", "ecommerce", _later_day, 0.15),
    Goal("36th month of trips / first: load", "months", lambda raw: _part(raw, "load"), 1.1),
    Goal(
        "36th month of trips / first: build and test", "months", lambda raw: _part(raw, "build and test"), 1.1
    ),
    Goal("36th month of trips / first: publish", "months", lambda raw: _part(raw, "publish"), 1.1),
    Goal(
        "DAG run / bare dbt build, 60 models", "dag_against_build", lambda raw: _dag(raw, "60 models of"), 1.3
    ),
    Goal("DAG build / dbt alone, 185 models", "dag_against_build", lambda raw: _dag(raw, "185"), 1.2),
    Goal("DAG build / dbt alone, 800 models", "dag_against_build", lambda raw: _dag(raw, "800"), 1.2),
    Goal(
        "loading: rate against DuckDB's reader",
        "ingest",
        lambda raw: _rate(raw, "its loading"),
        0.8,
        at_least=True,
    ),
    Goal(
        "loading with 65 defective lines",
        "ingest",
        lambda raw: _rate(raw, "its loading, 65 lines defective"),
        0.7,
        at_least=True,
    ),
    Goal(
        "a run without new input, the slowest domain",
        "nothing_new",
        lambda raw: max(median(cpu for _, cpu in times) for times in raw["again"].values()),
        3,
        "CPU s",
    ),
    Goal(
        "a changed model, dbt build -s, the slowest",
        "changed_model",
        lambda raw: max(median(times) for times in raw.values()),
        5,
        "s",
    ),
    Goal(
        "a verb that reads, the slowest",
        "cli",
        lambda raw: max(median(seconds for seconds, _ in times) for times in raw.values()),
        1,
        "s",
    ),
    Goal("all five domains, empty data folder", "make_run", lambda raw: median(raw["cold"]), 90, "s"),
    Goal("an idle Airflow", "idle_airflow", lambda raw: raw["all"], 0.05, "of a core"),
)


def measure(quick: bool) -> tuple[str, dict]:
    """Compare the last results with the goals; write the picture, unless they are those of a trial."""
    folder = load().data_dir / "bench"
    found = list(_values(folder, quick))
    if not quick:
        PICTURE.write_text(picture(found))
    rows = [
        [
            goal.what,
            _number(value, goal),
            f"{'≥' if goal.at_least else '≤'} {goal.goal:g} {goal.unit}".strip(),
        ]
        + ["kept" if _share(value, goal) <= 1 else "missed"]
        for goal, value in found
    ]
    return table(["measure", "now", "goal", ""], rows), {goal.what: value for goal, value in found}


def _values(folder: Path, quick: bool) -> Iterator[tuple[Goal, float]]:
    for goal in GOALS:
        file = folder / f"{goal.benchmark}{'.quick' if quick else ''}.json"
        if file.exists():
            results = json.loads(file.read_text())["results"]
            try:
                yield goal, goal.read(results)
            except StopIteration:  # a trial has fewer sizes
                continue


def _number(value: float, goal: Goal) -> str:
    return f"{value:,.2f} {goal.unit}".strip()


def _share(value: float, goal: Goal) -> float:
    """Return how much of what is allowed was taken: 1 is the goal."""
    return goal.goal / value if goal.at_least else value / goal.goal


def picture(found: list[tuple[Goal, float]]) -> str:
    """Return an SVG with a bar for each goal: how much of what it allows was taken."""
    width, height = LABEL + int(SCALE * MOST) + 110, ROW * len(found) + 50
    bars = []
    for number, (goal, value) in enumerate(found):
        share, y = _share(value, goal), 30 + number * ROW
        length = SCALE * min(share, MOST)
        bars += [
            f'<text x="{LABEL - 10}" y="{y + 15}" text-anchor="end">{escape(goal.what)}</text>',
            f'<rect x="{LABEL}" y="{y + 3}" width="{length:.0f}" height="{ROW - 8}"'
            f' fill="{KEPT if share <= 1 else MISSED}"/>',
            f'<text x="{LABEL + length + 6:.0f}" y="{y + 15}">{escape(_number(value, goal))}</text>',
        ]
    line = LABEL + SCALE
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
            ' font-family="sans-serif" font-size="12">',
            '<rect width="100%" height="100%" fill="white"/>',
            *bars,
            f'<line x1="{line}" y1="24" x2="{line}" y2="{height - 16}" stroke="#333" stroke-dasharray="4 3"/>',
            f'<text x="{line}" y="18" text-anchor="middle">the goal</text>',
            "</svg>",
            "",
        ]
    )
