"""What differs between two versions of a domain's tables, and whether it is more than may be."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from math import inf
from typing import Any

from publishing.table_stats import TableStats
from settings.environments import Limits

# Dates are compared by the day.
DAY = len("2024-01-01")


@dataclass(frozen=True)
class Difference:
    """A number of a table or column that differs.

    Attributes:
        table: which table.
        what: `table`, `column`, `rows`, `total`, `newest` or `nulls`.
        column: which column; None if it is of the table.
        before: as published.
        after: as it would be.
        change: share of `before`; days for `newest`, difference of two shares for `nulls`, None for a schema.
        limit: what `change` may be; None if nothing is too much.
        stops: whether it is beyond the limit.
    """

    table: str
    what: str
    column: str | None
    before: str | float | None
    after: str | float | None
    change: float | None = None
    limit: float | None = None
    stops: bool = False

    def cells(self) -> list[str]:
        """The columns of a table for people."""
        what = self.what if self.column is None else f"{self.what} of {self.column}"
        shown = [_shown(self.what, value) for value in (self.before, self.after)]
        units = {"newest": ("{:+.0f} days", "{:.0f} days"), "nulls": ("{:+.2%} points", "{:.2%} points")}
        change, limit = units.get(self.what, ("{:+.1%}", "{:.1%}"))
        return [
            self.table,
            what,
            *shown,
            "" if self.change is None else change.format(self.change),
            "" if self.limit is None else limit.format(self.limit),
            "stops" if self.stops else "",
        ]


@dataclass(frozen=True)
class Comparison:
    """Two versions side by side.

    Attributes:
        domain: whose.
        before: the version that is published; None if there is none.
        after: the other one.
        rows: by table, rows before and after; None where the table is not there.
        differences: what differs, that which stops first.
        unchanged: tables with the same rows and columns.
    """

    domain: str
    before: str | None
    after: str
    rows: Mapping[str, tuple[int | None, int | None]]
    differences: tuple[Difference, ...]
    unchanged: tuple[str, ...]

    @property
    def stopping(self) -> tuple[Difference, ...]:
        """What is beyond its limit."""
        return tuple(each for each in self.differences if each.stops)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values."""
        return asdict(self)

    def markdown(self) -> str:
        """All of it for people."""
        title = f"# {self.domain}: {self.after}\n\n"
        if self.before is None:
            title += "Nothing was published before.\n"
        else:
            title += f"Compared with {self.before}, which is published.\n"
        if self.stopping:
            title += f"\n**{len(self.stopping)} differences are beyond their limits.**\n"
        rows = [
            [
                table,
                *("" if count is None else f"{count:,}" for count in counts),
                "the same" if table in self.unchanged else "",
            ]
            for table, counts in self.rows.items()
        ]
        parts = [title, as_table(["table", "rows published", "rows now", ""], rows)]
        if self.differences:
            parts += ["", self.table()]
        return "\n".join(parts) + "\n"

    def table(self, *, stopping: bool = False) -> str:
        """The differences, both sides, or only those that stop."""
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
    """Compare two versions of a domain's tables.

    Args:
        domain: whose.
        before: what is published, by table; None if nothing is.
        after: what would be.
        limits: by how much they may differ.
        versions: the names of both.
    """
    old = before or {}
    names = sorted({*old, *after})
    differences = [
        each
        for name in names
        if before is not None
        for each in _table(name, old.get(name), after.get(name), limits)
    ]
    counts = {
        name: tuple(side[name].rows if name in side else None for side in (old, after)) for name in names
    }
    same = [name for name in names if name in old and name in after and _same(old[name], after[name])]
    differences.sort(key=lambda each: not each.stops)
    return Comparison(domain, *versions, counts, tuple(differences), tuple(same))


def as_table(header: list[str], rows: Iterable[list[str]]) -> str:
    """A Markdown table whose columns are as wide as what is in them, numbers to the right."""
    lines = [header, *rows]
    widths = [max(3, *(len(line[column]) for line in lines)) for column in range(len(header))]
    right = [
        all(not line[column] or line[column][:1] in "+-0123456789" for line in lines[1:])
        for column in range(len(header))
    ]

    def shown(cells: list[str]) -> str:
        padded = [
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(cells, widths, right, strict=True)
        ]
        return f"| {' | '.join(padded)} |"

    rule = [
        ("-" * (width - 1) + ":") if is_right else "-" * width
        for width, is_right in zip(widths, right, strict=True)
    ]
    return "\n".join([shown(header), shown(rule), *map(shown, lines[1:])])


def _same(old: TableStats, new: TableStats) -> bool:
    return (old.rows, old.checksum, list(old.columns.items())) == (
        new.rows,
        new.checksum,
        list(new.columns.items()),
    )


def _table(name: str, old: TableStats | None, new: TableStats | None, limits: Limits) -> Iterator[Difference]:
    if old is None or new is None:
        sides = [None if side is None else f"{side.rows:,} rows" for side in (old, new)]
        yield Difference(name, "table", None, *sides, stops=new is None and old.contracted)
        return
    for column in old.columns | new.columns:
        kinds = old.columns.get(column), new.columns.get(column)
        if kinds[0] != kinds[1]:
            stops = old.contracted and kinds[0] is not None
            yield Difference(name, "column", column, *kinds, stops=stops)
    # What may shrink has no totals that may not.
    shrinks = new.allow_decrease
    max_row_decrease, max_total_decrease = (
        inf if shrinks else limit for limit in (limits.max_row_decrease, limits.max_total_decrease)
    )
    yield from _change(name, "rows", None, old.rows, new.rows, max_row_decrease, limits.max_row_increase)
    both = [column for column in old.columns if column in new.columns]
    if not old.rows or not new.rows:
        return
    sums = old.total("totals"), new.total("totals")
    for column in both:
        if all(column in side for side in sums):
            sides = [side[column] for side in sums]
            yield from _change(name, "total", column, *sides, max_total_decrease, limits.max_total_increase)
    for column in both:
        if column in old.newest and column in new.newest and old.newest[column] != new.newest[column]:
            sides = [side.newest[column] for side in (old, new)]
            days = _days(*sides)
            yield Difference(
                name,
                "newest",
                column,
                *sides,
                days,
                _finite(limits.max_days_back),
                days is not None and -days > limits.max_days_back,
            )
    nulls = [(side.total("nulls"), side.rows) for side in (old, new)]
    for column in both:
        shares = [counts.get(column, 0) / rows for counts, rows in nulls]
        gained = shares[1] - shares[0]
        if gained:
            limit = limits.max_null_increase
            yield Difference(name, "nulls", column, *shares, gained, _finite(limit), gained > limit)


def _change(
    table: str, what: str, column: str | None, old: float, new: float, lost: float, gained: float
) -> Iterator[Difference]:
    # Sums of floating-point numbers depend on the order.
    if abs(new - old) <= 1e-9 * abs(old):
        return
    # Of a total below zero, what goes further below is a loss as well.
    share = (new - old) / abs(old) if old else None
    limit = lost if new < old else gained
    stops = share is not None and abs(share) > limit
    yield Difference(table, what, column, old, new, share, _finite(limit), stops)


def _finite(limit: float) -> float | None:
    """A limit as JSON can say it, which knows no infinity."""
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
