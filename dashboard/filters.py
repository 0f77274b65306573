"""Filters of the pages, each in its place. Without a choice, everything is shown. A choice is in the address of the page."""

from collections.abc import Callable, Sequence
from datetime import date

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.published import NothingToShowError

GRAINS = {"Day": "day", "Week": "week", "Month": "month"}
# Charts with more days are hard to read by day.
MAX_DAYS = 120
MAX_DAYS_BY_WEEK = 800
# A day with less than this share of the median is stray, before the first or after the last that has more.
USUAL_SHARE = 0.02


def usual_days(days: pd.DataFrame) -> tuple[date, date]:
    """Return the first and the last day with a usual number.

    Data has stray days: a clock that is wrong by years makes a line flat, and the first or last day of a delivery is often
    the end of a night.

    Args:
        days: a row per day, with the day and a number.
    """
    numbers = days.iloc[:, 1]
    usual = days.iloc[:, 0][numbers >= numbers.median() * USUAL_SHARE]
    return _date(usual.min()), _date(usual.max())


def period(place: DeltaGenerator, span: pd.Series, days: pd.DataFrame | None = None) -> tuple[date, date]:
    """Return the first and the last day of the chosen period, both included.

    Args:
        place: where the filter is.
        span: the `first` and the `last` day of the data.
        days: a number per day, to leave out stray days before and after the others unless they are chosen.

    Raises:
        NothingToShowError: there is no data.
    """
    if pd.isna(span["first"]):
        raise NothingToShowError("Nothing is published yet but empty tables.")
    first, last = _date(span["first"]), _date(span["last"])
    default = (first, last) if days is None or days.empty else usual_days(days)
    _follow("dates", default)
    stray = (
        f" Without days that have almost no data: {first} to {last} has all."
        if default != (first, last)
        else ""
    )
    chosen = place.date_input(
        "Dates",
        default,
        min_value=first,
        max_value=last,
        format="YYYY-MM-DD",
        key="dates",
        bind="query-params",
        help=stray.strip() or None,
    )
    # After the first of two clicks, only the first day is known.
    return (chosen[0], chosen[-1]) if chosen else default


def some_of(place: DeltaGenerator, label: str, values: Sequence[str]) -> list[str]:
    """Return the chosen values; all if none is chosen."""
    key = label.lower()
    return place.multiselect(label, values, placeholder="all", key=key, bind="query-params") or list(values)


def one_of(
    label: str,
    values: Sequence[str],
    place: DeltaGenerator | None = None,
    format_func: Callable[[str], str] = str,
) -> str:
    """Return the chosen value; the first if none is chosen."""
    return (place or st).selectbox(
        label, values, format_func=format_func, key=label.lower(), bind="query-params"
    )


def grain(place: DeltaGenerator, first: date, last: date) -> str:
    """Return the chosen time step, `day`, `week` or `month`; one that suits the period if none is chosen."""
    days = (last - first).days
    suitable = [*GRAINS][0 if days <= MAX_DAYS else 1 if days <= MAX_DAYS_BY_WEEK else 2]
    chosen = place.selectbox(
        "By", list(GRAINS), index=None, placeholder=suitable, key="by", bind="query-params"
    )
    return GRAINS[chosen or suitable]


def _follow(key: str, default: object) -> None:
    """Let a filter that shows its default show the new one, such as after a publication with more days."""
    state, kept = st.session_state, f"default_{key}"
    if key in state and kept in state and state[key] == state[kept] != default:
        del state[key]
    state[kept] = default


def _date(day: pd.Timestamp | date) -> date:
    return date(day.year, day.month, day.day)
