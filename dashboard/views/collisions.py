"""Collisions by month, borough and severity, with a map."""

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.figures import (
    AXIS,
    HEIGHT,
    LABEL,
    bar_scale,
    figure,
    lines,
    metric_card,
    metric_cards,
    numbers,
)
from dashboard.filters import period, some_of
from dashboard.maps import density_map
from dashboard.metrics import ask_metrics
from dashboard.published import ask_row
from dashboard.states import PALETTE

TITLE, ICON, GROUP, ORDER = "Collisions", ":material/car_crash:", "Domains", 100

_SPAN = """
select min(crash_month) as first, last_day(max(crash_month)) as last, list_sort(list(distinct borough)) as boroughs
from marts.agg_collisions_by_month_borough
"""
_SEVERITIES = {
    "fatal": "fatal_collisions",
    "injury": "injury_collisions",
    "property_damage": "property_damage_collisions",
}
# The data is by month.
_CHOSEN = (
    "{time} between date_trunc('month', $first::date) and $last::date",
    "list_contains($boroughs, {borough})",
)


def show() -> None:
    st.title("Collisions in New York", anchor=False)
    span = ask_row("collisions", _SPAN)
    dates, boroughs, severities = st.columns([2, 3, 3])
    first, last = period(dates, span)
    chosen_boroughs = some_of(boroughs, "Boroughs", list(span["boroughs"]))
    chosen = {"first": first, "last": last, "boroughs": chosen_boroughs}
    shown = some_of(severities, "Severity", list(_SEVERITIES))
    months = _by_severity(
        ["month"], shown, ask_metrics(_metrics(shown), grain="month", where=_CHOSEN, parameters=chosen)
    )
    harmed = ask_metrics(["persons_injured", "persons_killed"], where=_CHOSEN, parameters=chosen)
    numbers(metric_card("collisions", months["collisions"].sum()), *metric_cards(harmed))
    chart = lines(months, "month", "collisions", "severity", y_title="Collisions per month")
    figure("Collisions by month and severity", months, chart, name="collisions_by_month")
    left, right = st.columns(2)
    with left:
        found = ask_metrics(_metrics(shown), ["borough"], where=_CHOSEN, parameters=chosen)
        found = _by_severity(["borough"], shown, found)
        figure("Collisions by borough and severity", found, _boroughs(found), name="collisions_by_borough")
    with right:
        places = ask_metrics(
            ["located_collisions", "located_casualties"],
            ["latitude", "longitude"],
            where=(*_CHOSEN, "list_contains($severities, {severity})"),
            parameters=chosen | {"severities": shown},
        )
        figure(
            "Places of collisions, by hundredth of a degree", places, _map(places), name="collisions_by_place"
        )


def _metrics(severities: list[str]) -> list[str]:
    return [_SEVERITIES[severity] for severity in severities]


def _by_severity(keys: list[str], severities: list[str], found: pd.DataFrame) -> pd.DataFrame:
    """Return a row per severity instead of a column."""
    names = {_SEVERITIES[severity]: severity for severity in severities}
    rows = found.rename(columns=names).melt(keys, list(names.values()), "severity", "collisions")
    return rows[rows["collisions"] > 0].sort_values([*keys, "severity"])


def _boroughs(found: pd.DataFrame) -> alt.LayerChart:
    """One bar per borough and severity, each with its number and name."""
    colors = alt.Scale(domain=list(_SEVERITIES), range=PALETTE)
    base = alt.Chart(found).encode(
        y=alt.Y("borough:N", title=None),
        yOffset=alt.YOffset("severity:N", sort=list(_SEVERITIES)),
        x=alt.X(
            "collisions:Q",
            title="Collisions",
            axis=alt.Axis(format=AXIS),
            scale=bar_scale(found["collisions"], 0.5),
        ),
        tooltip=["borough", "severity", alt.Tooltip("collisions:Q", format=",")],
    )
    labels = base.transform_calculate(
        label="format(datum.collisions, ',') + ' ' + replace(datum.severity, '_', ' ')"
    )
    texts = labels.mark_text(align="left", dx=4, color=LABEL).encode(text="label:N")
    shown = base.mark_bar().encode(color=alt.Color("severity:N", scale=colors, legend=None))
    return (shown + texts).properties(height=HEIGHT * 1.8)


def _map(places: pd.DataFrame) -> alt.LayerChart | None:
    if places.empty:
        return None
    details = {"located_collisions": "Collisions", "located_casualties": "Persons harmed"}
    return density_map(places, 0.01, "located_collisions", title="Collisions", details=details)
