"""Filters that pages share. Nothing chosen means everything."""

from collections.abc import Sequence
from datetime import date

import streamlit as st

GRAINS = {"Day": "day", "Week": "week", "Month": "month"}
# Longer than this many days, a chart by day is more than an eye can follow.
MOST_DAYS = 120
MOST_WEEKS_IN_DAYS = 800


def period(first: date, last: date) -> tuple[date, date]:
    """The days that somebody chose, the first and the last one included."""
    first, last = _day(first), _day(last)
    chosen = st.date_input("Dates", (first, last), min_value=first, max_value=last, format="YYYY-MM-DD")
    # Between two clicks only the first day is known.
    return (chosen[0], chosen[-1]) if chosen else (first, last)


def some_of(label: str, values: Sequence[str]) -> list[str]:
    """The values that somebody chose; all of them if none."""
    chosen = st.multiselect(label, values, placeholder="all")
    return chosen or list(values)


def one_of(label: str, values: Sequence[str]) -> str:
    """The one value that somebody chose, at first the first one."""
    return st.selectbox(label, values)


def grain(first: date, last: date) -> str:
    """The length of a step in time, `day`, `week` or `month`; as fits the period unless somebody chose."""
    days = (last - first).days
    fitting = 0 if days <= MOST_DAYS else 1 if days <= MOST_WEEKS_IN_DAYS else 2
    return GRAINS[st.selectbox("By", list(GRAINS), index=fitting)]


def _day(moment: date) -> date:
    return date(moment.year, moment.month, moment.day)
