"""Filters of the pages. Without a choice, everything is shown."""

from collections.abc import Sequence
from datetime import date

import streamlit as st

GRAINS = {"Day": "day", "Week": "week", "Month": "month"}
# Charts with more days are hard to read by day.
MAX_DAYS = 120
MAX_DAYS_BY_WEEK = 800


def period(first: date, last: date) -> tuple[date, date]:
    """Return the first and the last day of the chosen period, both included."""
    first, last = _day(first), _day(last)
    chosen = st.date_input("Dates", (first, last), min_value=first, max_value=last, format="YYYY-MM-DD")
    # After the first of two clicks, only the first day is known.
    return (chosen[0], chosen[-1]) if chosen else (first, last)


def some_of(label: str, values: Sequence[str]) -> list[str]:
    """Return the chosen values; all if none is chosen."""
    chosen = st.multiselect(label, values, placeholder="all")
    return chosen or list(values)


def one_of(label: str, values: Sequence[str]) -> str:
    """Return the chosen value; by default the first one."""
    return st.selectbox(label, values)


def grain(first: date, last: date) -> str:
    """Return the chosen time step, `day`, `week` or `month`; by default one that suits the period."""
    days = (last - first).days
    fitting = 0 if days <= MAX_DAYS else 1 if days <= MAX_DAYS_BY_WEEK else 2
    return GRAINS[st.selectbox("By", list(GRAINS), index=fitting)]


def _day(moment: date) -> date:
    return date(moment.year, moment.month, moment.day)
