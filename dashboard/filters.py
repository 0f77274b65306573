"""Filters of the pages, each in its place. Without a choice, everything is shown."""

from collections.abc import Sequence
from datetime import date

import pandas as pd
from streamlit.delta_generator import DeltaGenerator

from dashboard.published import NothingToShowError

GRAINS = {"Day": "day", "Week": "week", "Month": "month"}
# Charts with more days are hard to read by day.
MAX_DAYS = 120
MAX_DAYS_BY_WEEK = 800


def period(place: DeltaGenerator, span: pd.Series) -> tuple[date, date]:
    """Return the first and the last day of the chosen period, both included.

    Args:
        place: where the filter is.
        span: the `first` and the `last` day of the data.

    Raises:
        NothingToShowError: there is no data.
    """
    if pd.isna(span["first"]):
        raise NothingToShowError("Nothing is published yet but empty tables.")
    first, last = (date(day.year, day.month, day.day) for day in (span["first"], span["last"]))
    chosen = place.date_input("Dates", (first, last), min_value=first, max_value=last, format="YYYY-MM-DD")
    # After the first of two clicks, only the first day is known.
    return (chosen[0], chosen[-1]) if chosen else (first, last)


def some_of(place: DeltaGenerator, label: str, values: Sequence[str]) -> list[str]:
    """Return the chosen values; all if none is chosen."""
    return place.multiselect(label, values, placeholder="all") or list(values)


def grain(place: DeltaGenerator, first: date, last: date) -> str:
    """Return the chosen time step, `day`, `week` or `month`; by default one that suits the period."""
    days = (last - first).days
    suitable = 0 if days <= MAX_DAYS else 1 if days <= MAX_DAYS_BY_WEEK else 2
    return GRAINS[place.selectbox("By", list(GRAINS), index=suitable)]
