"""False alarms and misses of the usual ranges, on a simulated year of a shop's days with known incidents."""

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from math import exp, sin, tau

from bench.measuring import table
from publishing.table_stats import Partition, TableStats
from publishing.usual import find_unusual, observe, remembered

DAYS = 365
FIRST = date(2025, 1, 1)
COLUMNS = {"order_id": "BIGINT", "ordered_on": "DATE", "amount": "DECIMAL(18,2)", "region": "VARCHAR"}
WEEK = (1.0, 0.95, 0.97, 1.0, 1.2, 1.6, 1.4)
# What goes wrong on a day, and by how much.
INCIDENTS = ("half of the rows", "twice the rows", "amounts by 100", "a tenth without region", "nothing new")


def simulated(seed: int) -> Iterator[tuple[str | None, dict[str, TableStats], datetime]]:
    """Yield each day's incident, the tables as published in its night, and when."""
    source = random.Random(seed)
    incidents = dict(zip(sorted(source.sample(range(60, DAYS), 20)), INCIDENTS * 4, strict=True))
    rows, amount, empty, newest = 0, 0.0, 0, FIRST
    for number in range(DAYS):
        day = FIRST + timedelta(days=number)
        what = incidents.get(number)
        # A weekly and a yearly rhythm, growth by 30 % in the year, and days that differ by a tenth.
        mean = 10_000 * WEEK[day.weekday()] * (1 + 0.3 * number / DAYS) * (1 + 0.1 * sin(tau * number / DAYS))
        come = round(mean * exp(source.gauss(0, 0.1)))
        price = 40 * exp(source.gauss(0, 0.05))
        share = min(max(source.gauss(0.01, 0.002), 0), 1)
        if what == "nothing new":
            come = 0
        else:
            newest = day
        come = come // 2 if what == "half of the rows" else come * 2 if what == "twice the rows" else come
        price *= 100 if what == "amounts by 100" else 1
        share += 0.1 if what == "a tenth without region" else 0
        rows, amount, empty = rows + come, amount + come * price, empty + round(come * share)
        whole = Partition(
            rows, number, {"region": empty}, {"amount": amount}, {"ordered_on": newest.isoformat()}
        )
        at = datetime.combine(day + timedelta(days=1), datetime.min.time(), UTC)
        yield what, {"fct_orders": TableStats(COLUMNS, {"": whole})}, at


def judged(seed: int) -> tuple[Mapping[str, tuple[int, int]], int, int]:
    """Return for each kind of incident how many were found of how many; days with a false alarm, and quiet days.

    The day after an incident brings what was missing or is compared with it: it counts for neither.
    """
    found: dict[str, tuple[int, int]] = {}
    observations: list = []
    old: dict[str, TableStats] | None = None
    false, quiet, after = 0, 0, False
    for what, tables, at in simulated(seed):
        if old is not None:
            new = observe(old, tables, at)
            alarm = bool(find_unusual(observations, new))
            if what:
                hits, of = found.get(what, (0, 0))
                found[what] = (hits + alarm, of + 1)
            elif not after:
                quiet += 1
                false += alarm
            observations = remembered(observations, new)
        old, after = tables, bool(what)
    return found, false, quiet


def measure(quick: bool) -> tuple[str, dict]:
    """Judge some years."""
    hits: dict[str, list[int]] = {}
    false = quiet = 0
    for seed in range(3 if quick else 20):
        found, alarms, days = judged(seed)
        false, quiet = false + alarms, quiet + days
        for what, (hit, of) in found.items():
            known = hits.setdefault(what, [0, 0])
            known[0] += hit
            known[1] += of
    rows = [[what, f"{hit} of {of}"] for what, (hit, of) in sorted(hits.items())]
    rows.append(["quiet days with an alarm", f"{false} of {quiet}"])
    return table(["incident", "found"], rows), {"found": hits, "false": false, "quiet": quiet}
