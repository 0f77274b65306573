"""Trips and revenue by day and by hour, and where and when trips begin."""

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.figures import AXIS, BAR_HEIGHT, HEIGHT, figure, heat_map, metric_cards, numbers
from dashboard.filters import grain, one_of, period, some_of
from dashboard.metrics import ask_metrics
from dashboard.published import ask, ask_row
from dashboard.states import PALETTE

TITLE, ICON, GROUP, ORDER = "Taxi", ":material/local_taxi:", "Domains", 100

# By what is chosen: the metric, that of zones, and the unit.
MEASURES = {
    "Trips": ("trips", "zone_trips", "Trips"),
    "Revenue": ("trip_revenue", "zone_revenue", "Revenue ($)"),
}
MAX_ZONES = 30
HOUR = "Hour of the day, New York time"

_SPAN = "select min(pickup_date) as first, max(pickup_date) as last from marts.agg_trips_by_day_hour"
_BOROUGHS = "select distinct borough from marts.dim_zones order by borough"
_CHOSEN = ("{time} between $first and $last",)
# The zones are by month.
_MONTHS = (
    "{time} between date_trunc('month', $first::date) and $last::date",
    "list_contains($boroughs, {borough})",
)


def show() -> None:
    st.title("Yellow taxis of New York", anchor=False)
    span = ask_row("taxi", _SPAN)
    dates, boroughs, measures, steps = st.columns([3, 3, 2, 2])
    first, last = period(dates, span, ask_metrics(["trips"], grain="day"))
    chosen_boroughs = some_of(boroughs, "Boroughs", list(ask("taxi", _BOROUGHS)["borough"]))
    measure, of_zones, unit = MEASURES[one_of("Measure", list(MEASURES), measures)]
    step = grain(steps, first, last)
    chosen = {"first": first, "last": last}
    cards = ["trips", "trip_revenue", "trips_per_day"]
    totals = ask_metrics([*cards, "days_with_trips"], where=_CHOSEN, parameters=chosen)
    numbers(*metric_cards(totals[cards]))
    left, right = st.columns(2)
    with left:
        found = ask_metrics(["trips", "trip_revenue"], grain=step, where=_CHOSEN, parameters=chosen)
        chart = _by_day(found, step, measure, f"{unit} per {step}")
        figure(f"{unit} by {step}", found, chart, name="trips_by_day")
    with right:
        found = ask_metrics(["trips", "trip_revenue"], ["pickup_hour"], where=_CHOSEN, parameters=chosen)
        # Also days without a trip in this hour count.
        found[["trips", "trip_revenue"]] /= totals["days_with_trips"][0]
        chart = _by_hour(found, measure, f"{unit}, average day")
        figure(f"{unit} by hour of the day", found, chart, name="trips_by_hour")
    of_boroughs = chosen | {"boroughs": chosen_boroughs}
    zones = ask_metrics([of_zones], ["zone", "borough", "pickup_hour"], where=_MONTHS, parameters=of_boroughs)
    # Boroughs have zones of one name.
    zones["zone"] += " (" + zones.pop("borough") + ")"
    busiest = zones.groupby("zone")[of_zones].sum().nlargest(MAX_ZONES).index
    zones = zones[zones["zone"].isin(busiest)]
    chart = heat_map(zones, "pickup_hour", "zone", of_zones, x_title=HOUR, title=unit)
    title = f"{unit} by zone and hour of the pick-up (whole months, the {MAX_ZONES} busiest zones)"
    figure(title, zones, chart, name="trips_by_zone_hour")


def _by_day(data: pd.DataFrame, step: str, y: str, title: str) -> alt.Chart:
    chart = _base(data, f"{step}:T", y, x_title=None, title=title)
    return chart.mark_line(color=PALETTE[0], point={"filled": True, "size": 35})


def _by_hour(data: pd.DataFrame, y: str, title: str) -> alt.Chart:
    chart = _base(data, "pickup_hour:O", y, x_title=HOUR, title=title)
    return chart.mark_bar(color=PALETTE[0], width=BAR_HEIGHT / 2)


def _base(data: pd.DataFrame, x: str, y: str, *, x_title: str | None, title: str) -> alt.Chart:
    return (
        alt.Chart(data)
        .encode(
            x=alt.X(x, title=x_title),
            y=alt.Y(f"{y}:Q", title=title, axis=alt.Axis(format=AXIS)),
            tooltip=[x, alt.Tooltip(f"{y}:Q", format=",.0f", title=title)],
        )
        .properties(height=HEIGHT)
    )
