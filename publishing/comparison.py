"""The differences between two versions of a domain's tables, and which of them exceed a limit."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from math import inf
from typing import Any

from tabulate import tabulate

from publishing.table_stats import TableStats
from settings.environments import Limits

# Times are compared by the day.
DAY = len("2024-01-01")
# How a change and its limit are shown; shares unless named here.
UNITS = {"newest": ("{:+.0f} days", "{:.0f} days"), "nulls": ("{:+.2%} points", "{:.2%} points")}


@dataclass(frozen=True)
class Difference:
    """A number of a table or column that differs."""

    table: str
    what: str  # table, column, rows, total, newest or nulls
    column: str | None  # None for a number of the table
    before: str | float | None
    after: str | float | None
    change: float | None = None  # share of `before`; days for newest, difference of shares for nulls
    limit: float | None = None  # the largest allowed change
    stops: bool = False  # the change exceeds the limit

    def cells(self) -> list[str]:
        """Return the cells of a row in `Comparison.table`."""
        change, limit = UNITS.get(self.what, ("{:+.1%}", "{:.1%}"))
        return [
            self.table,
            self.what if self.column is None else f"{self.what} of {self.column}",
            *(_shown(self.what, value) for value in (self.before, self.after)),
            "" if self.change is None else change.format(self.change),
            "" if self.limit is None else limit.format(self.limit),
            "stops" if self.stops else "",
        ]


@dataclass(frozen=True)
class Comparison:
    """The published version and a new one side by side."""

    domain: str
    before: str | None  # the published version
    after: str
    rows: Mapping[str, tuple[int | None, int | None]]  # before and after; None where the table does not exist
    differences: tuple[Difference, ...]  # those that stop the publication first
    unchanged: tuple[str, ...]  # tables with the same rows and columns

    @property
    def stopping(self) -> tuple[Difference, ...]:
        """The differences that exceed their limits."""
        return tuple(each for each in self.differences if each.stops)

    def exceeded(self) -> list[str]:
        """Return the differences that exceed their limits, one line each."""
        return [" ".join(filter(None, each.cells())) for each in self.stopping]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def markdown(self) -> str:
        title = f"# {self.domain}: {self.after}\n\n"
        if self.before is None:
            title += "Nothing was published before.\n"
        else:
            title += f"Compared with the published version, {self.before}.\n"
        if self.stopping:
            title += f"\n**{len(self.stopping)} differences exceed their limits.**\n"
        rows = [
            [
                table,
                *("" if count is None else f"{count:,}" for count in counts),
                "unchanged" if table in self.unchanged else "",
            ]
            for table, counts in self.rows.items()
        ]
        parts = [title, as_table(["table", "rows published", "rows now", ""], rows)]
        if self.differences:
            parts += ["", self.table()]
        return "\n".join(parts) + "\n"

    def table(self, *, stopping: bool = False) -> str:
        """Return the differences as a Markdown table, all or only those that stop the publication."""
        shown = self.stopping if stopping else self.differences
        header = ["table", "what", "published", "now", "change", "limit", ""]
        return as_table(header, [each.cells() for each in shown])


def compare(
    domain: str,
    before: Mapping[str, TableStats] | None,
    after: Mapping[str, TableStats],
    limits: Limits,
    *,
    versions: tuple[str | None, str],
) -> Comparison:
    """Compare the statistics of a domain's published tables, if there are any, with those of a new version."""
    old = before or {}
    names = sorted({*old, *after})
    differences = [
        each
        for name in names
        if before is not None
        for each in _table(name, old.get(name), after.get(name), limits)
    ]
    counts = {
        name: (old[name].rows if name in old else None, after[name].rows if name in after else None)
        for name in names
    }
    same = [name for name in names if name in old and name in after and old[name].same_rows(after[name])]
    differences.sort(key=lambda each: not each.stops)
    return Comparison(domain, *versions, counts, tuple(differences), tuple(same))


def as_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table with numbers aligned to the right."""
    numbers = [
        all(not cell or cell[0] in "+-0123456789" for cell in column) for column in zip(*rows, strict=True)
    ]
    align = ["right" if is_number else "left" for is_number in numbers]
    return tabulate(rows, header, tablefmt="pipe", colalign=align, disable_numparse=True)


def _table(name: str, old: TableStats | None, new: TableStats | None, limits: Limits) -> Iterator[Difference]:
    if old is None or new is None:
        sides = [None if side is None else f"{side.rows:,} rows" for side in (old, new)]
        stops = old is not None and old.contracted
        yield Difference(name, "table", None, sides[0], sides[1], stops=stops)
        return
    for column in {**old.columns, **new.columns}:
        kinds = old.columns.get(column), new.columns.get(column)
        if kinds[0] != kinds[1]:
            stops = old.contracted and kinds[0] is not None
            yield Difference(name, "column", column, *kinds, stops=stops)
    # Fewer rows mean smaller totals.
    max_row_decrease, max_total_decrease = (
        inf if new.allow_decrease else limit for limit in (limits.max_row_decrease, limits.max_total_decrease)
    )
    yield from _change(name, "rows", None, old.rows, new.rows, max_row_decrease, limits.max_row_increase)
    if not old.rows or not new.rows:
        return
    both = [column for column in old.columns if column in new.columns]
    totals = old.total("totals"), new.total("totals")
    for column in both:
        if column in totals[0] and column in totals[1]:
            before, after = totals[0][column], totals[1][column]
            yield from _change(
                name, "total", column, before, after, max_total_decrease, limits.max_total_increase
            )
    for column in both:
        first, last = old.newest.get(column), new.newest.get(column)
        if first and last and first != last:
            days, limit = _days(first, last), limits.max_days_back
            stops = days is not None and -days > limit
            yield Difference(name, "newest", column, first, last, days, _finite(limit), stops)
    nulls = old.total("nulls"), new.total("nulls")
    for column in both:
        share = nulls[0].get(column, 0) / old.rows, nulls[1].get(column, 0) / new.rows
        gained, limit = share[1] - share[0], limits.max_null_increase
        if gained:
            yield Difference(name, "nulls", column, *share, gained, _finite(limit), gained > limit)


def _change(
    table: str,
    what: str,
    column: str | None,
    old: float,
    new: float,
    max_decrease: float,
    max_increase: float,
) -> Iterator[Difference]:
    # Sums of floating-point numbers depend on the order of the rows.
    if abs(new - old) <= 1e-9 * abs(old):
        return
    # A total below zero that falls further is a decrease as well.
    share = (new - old) / abs(old) if old else None
    limit = max_decrease if new < old else max_increase
    stops = share is not None and abs(share) > limit
    yield Difference(table, what, column, old, new, share, _finite(limit), stops)


def _finite(limit: float) -> float | None:
    """Return a limit for JSON, which has no infinity."""
    return None if limit == inf else limit


def _days(old: str, new: str) -> float | None:
    try:
        return (date.fromisoformat(new[:DAY]) - date.fromisoformat(old[:DAY])).days
    except ValueError:  # infinity, or a year of five digits
        return None


def _shown(what: str, value: str | float | None) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if what == "nulls":
        return f"{value:.2%}"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"
