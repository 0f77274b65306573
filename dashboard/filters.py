"""Filters that the pages share. If nothing is chosen, everything is shown."""

from collections.abc import Sequence
from datetime import date

import streamlit as st

GRAINS = {"Day": "day", "Week": "week", "Month": "month"}
# A chart of more days than this is hard to read by day.
MOST_DAYS = 120
MOST_WEEKS_IN_DAYS = 800


def period(first: date, last: date) -> tuple[date, date]:
    """The period that the visitor chose: its first and its last day, both included."""
    first, last = _day(first), _day(last)
    chosen = st.date_input("Dates", (first, last), min_value=first, max_value=last, format="YYYY-MM-DD")
    # Between the two clicks, only the first day is known.
    return (chosen[0], chosen[-1]) if chosen else (first, last)


def some_of(label: str, values: Sequence[str]) -> list[str]:
    """The values that the visitor chose; all if none was chosen."""
    chosen = st.multiselect(label, values, placeholder="all")
    return chosen or list(values)


def one_of(label: str, values: Sequence[str]) -> str:
    """The value that the visitor chose; at first, the first one."""
    return st.selectbox(label, values)


def grain(first: date, last: date) -> str:
    """The length of a time step, `day`, `week` or `month`; by default, one that fits the period."""
    days = (last - first).days
    fitting = 0 if days <= MOST_DAYS else 1 if days <= MOST_WEEKS_IN_DAYS else 2
    return GRAINS[st.selectbox("By", list(GRAINS), index=fitting)]


def _day(moment: date) -> date:
    return date(moment.year, moment.month, moment.day)
