"""What is usual of a domain's tables: what each version brought, and which numbers of a new one are out of the usual.

A version carries what the versions before it brought (`facts[OBSERVATIONS]`). So nothing else has to be stored, and a
version that was rolled back is not among what is usual.

For each table of a version there are the rows and totals that it has more than the version before, for each day by which
its newest date went on; the share of nulls in the rows that came; and how many days the newest date lies back. Usual is
the median of earlier values, of the same weekday where there are enough, plus and minus a multiple of their spread,
which is taken from the median absolute deviation (MAD): single incidents in the past do not widen it. For normally
distributed values 1.4826 MAD is one standard deviation (P. J. Rousseeuw, C. Croux, "Alternatives to the median absolute
deviation", 1993).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from statistics import median
from typing import Any

from publishing.table_stats import TableStats

# Where a version has what the versions before it brought.
OBSERVATIONS = "observations"
# Versions that are remembered: eight weeks of days.
REMEMBERED = 56
# With fewer nothing is said; a pipeline is learning.
LEARNS_FROM = 8
# So many of one weekday are compared among themselves.
OF_A_WEEKDAY = 4
SIGMAS_PER_MAD = 1.4826
# A value so many standard deviations from the median is unusual. On simulated years (bench/usual_values.py) 4 gave 16 days
# with a false alarm in 1,000, 4.5 gave 9 and 5 gave 4; of the days with half of their rows they found 37, 33 and 29 of 40.
SIGMAS = 4.5
# The least standard deviation: a share of the median, and for shares of nulls and days an amount.
LEAST_SHARE = 0.03
LEAST = {"nulls": 0.005, "lag": 0.25}

Values = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Unusual:
    """A number of a table that is out of the usual."""

    table: str
    what: str  # rows, total of COLUMN, nulls of COLUMN, lag of COLUMN
    value: float
    least: float
    most: float

    def __str__(self) -> str:
        return f"{self.table}: {self._shown(self.value)} {self._unit()}; usual {self._shown(self.least)} to {self._shown(self.most)}"

    def _unit(self) -> str:
        kind, _, column = self.what.partition(" of ")
        return {
            "rows": "more rows a day",
            "total": f"more a day in {column}",
            "nulls": f"of the new rows without {column}",
            "lag": f"days since the newest {column}",
        }[kind]

    def _shown(self, value: float) -> str:
        if self.what.startswith("nulls"):
            return f"{value:.1%}"
        return f"{value:,.0f}" if abs(value) >= 10 or value == int(value) else f"{value:,.1f}"


def observe(old: Mapping[str, TableStats], new: Mapping[str, TableStats], at: datetime) -> dict[str, Any]:
    """Return what a version brought, as JSON-ready values: `weekday` (0 is Monday) and `tables`.

    Args:
        old: the tables of the version before.
        new: those of the version.
        at: when it was made (UTC).
    """
    tables: Values = {}
    days: list[date] = []
    for name, stats in new.items():
        before = old.get(name)
        if before is None or not stats.rows:
            continue
        values = dict(_values(before, stats, at))
        newest = [_day(text) for text in stats.newest.values()]
        days += [day for day in newest if day and day <= at.date()]
        if values:
            tables[name] = values
    weekday = max(days, default=at.date()).weekday()
    return {"weekday": weekday, "tables": tables}


def _values(old: TableStats, new: TableStats, at: datetime) -> Iterator[tuple[str, float]]:
    gained = new.rows - old.rows
    moved = [
        (after - before).days
        for column, text in new.newest.items()
        if (after := _day(text)) and (before := _day(old.newest.get(column)))
    ]
    # Three days' files at once are three times as much.
    days = max([1, *moved])
    yield "rows", gained / days
    totals = old.total("totals"), new.total("totals")
    for column in totals[1]:
        if column in totals[0]:
            yield f"total of {column}", (totals[1][column] - totals[0][column]) / days
    nulls = old.total("nulls"), new.total("nulls")
    for column in new.columns:
        count = nulls[1].get(column, 0)
        share = (count - nulls[0].get(column, 0)) / gained if gained > 0 else count / new.rows
        yield f"nulls of {column}", min(max(share, 0.0), 1.0)
    for column, text in new.newest.items():
        if (day := _day(text)) and day <= at.date():
            yield f"lag of {column}", (at.date() - day).days


def find_unusual(observations: Sequence[Mapping[str, Any]], new: Mapping[str, Any]) -> list[Unusual]:
    """Return the numbers that are out of the usual; none while a table is learning.

    Args:
        observations: what earlier versions brought, oldest first.
        new: what the new one brings, see `observe`.
    """
    found = []
    for table, values in new["tables"].items():
        for what, value in values.items():
            known = [
                (each["weekday"], each["tables"][table][what])
                for each in observations
                if what in each["tables"].get(table, ())
            ]
            if len(known) < LEARNS_FROM:
                continue
            least, most = usual_range(known, new["weekday"], what.partition(" ")[0])
            if not least <= value <= most:
                found.append(Unusual(table, what, value, least, most))
    return found


def is_learning(observations: Sequence[Mapping[str, Any]]) -> bool:
    """Whether too few versions are known to say what is usual."""
    return len(observations) < LEARNS_FROM


def usual_range(known: Sequence[tuple[int, float]], weekday: int, kind: str) -> tuple[float, float]:
    """Return the least and the largest usual value for a weekday, from weekdays and values of earlier versions.

    The middle is that of the weekday, where it has come often enough. The spread is that of all days about their own
    middles, as shares of them, so that few days of one weekday are enough.
    """
    every = median(value for _, value in known)
    days = {day: [value for other, value in known if other == day] for day, _ in known}
    middles = {day: median(values) if len(values) >= OF_A_WEEKDAY else every for day, values in days.items()}
    middle = middles.get(weekday, every)
    if kind in LEAST or min(middles.values()) <= 0:
        deviation = SIGMAS_PER_MAD * median(abs(value - middles[day]) for day, value in known)
    else:
        shares = median(abs(value / middles[day] - 1) for day, value in known)
        deviation = SIGMAS_PER_MAD * shares * abs(middle)
    width = SIGMAS * max(deviation, LEAST_SHARE * abs(middle), LEAST.get(kind, 0.0))
    least, most = middle - width, middle + width
    return (max(least, 0.0) if kind in LEAST else least), most


def remembered(observations: Sequence[Mapping[str, Any]], new: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what the new version carries."""
    return [*observations, new][-REMEMBERED:]


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text[:10]) if text else None
    except ValueError:  # infinity, or a year of five digits
        return None
