"""Trips and revenue by day and by hour, and where and when trips begin."""

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.figures import BAR_HEIGHT, HEIGHT, PALETTE, count, figure, heat_map, numbers
from dashboard.filters import grain, period, some_of
from dashboard.published import ask, ask_row

TITLE, ICON, GROUP, ORDER = "Taxi", ":material/local_taxi:", "Domains", 100

MEASURES = {"Trips": ("trips", "Trips"), "Revenue": ("revenue", "Revenue ($)")}
MAX_ZONES = 30
HOUR = "Hour of the day, New York time"

_SPAN = "select min(pickup_date) as first, max(pickup_date) as last from marts.agg_trips_by_day_hour"
_BOROUGHS = "select distinct borough from marts.dim_zones order by borough"
_HOURS_CHOSEN = "from marts.agg_trips_by_day_hour where pickup_date between $first and $last"
_SUMS = "sum(trips)::bigint as trips, sum(revenue) as revenue"
_TOTALS = f"select {_SUMS}, count(distinct pickup_date) as days {_HOURS_CHOSEN}"
_STEPS = f"select date_trunc('{{grain}}', pickup_date)::date as day, {_SUMS} {_HOURS_CHOSEN} group by all order by all"
_HOURS = f"""
select pickup_hour, round(sum(trips) / any_value(days.days), 2) as trips,
    round(sum(revenue) / any_value(days.days), 2) as revenue
from (select * {_HOURS_CHOSEN}), (select count(distinct pickup_date) as days {_HOURS_CHOSEN}) as days
group by all order by all
"""
_ZONES = f"""
with hours as (
    select zones.zone || ' (' || zones.borough || ')' as zone, hours.pickup_hour, {_SUMS}
    from marts.agg_trips_by_zone_hour as hours
    inner join marts.dim_zones as zones on hours.pickup_location_id = zones.location_id
    where hours.pickup_month between date_trunc('month', $first::date) and $last::date
        and list_contains($boroughs, zones.borough)
    group by all
),

busiest as (
    select zone from hours group by zone order by sum({{measure}}) desc, zone limit {MAX_ZONES}
)

select * from hours where zone in (select zone from busiest) order by all
"""


def show() -> None:
    st.title("Yellow taxis of New York", anchor=False)
    span = ask_row("taxi", _SPAN)
    dates, boroughs, measures, steps = st.columns([3, 3, 2, 1])
    first, last = period(dates, span)
    chosen_boroughs = some_of(boroughs, "Boroughs", list(ask("taxi", _BOROUGHS)["borough"]))
    measure, unit = MEASURES[measures.selectbox("Measure", list(MEASURES))]
    step = grain(steps, first, last)
    chosen = {"first": first, "last": last}
    totals = ask_row("taxi", _TOTALS, chosen)
    numbers(
        trips=count(totals["trips"]),
        revenue=f"$ {count(totals['revenue'])}",
        trips_per_day=count(totals["trips"] / totals["days"] if totals["days"] else None),
    )
    left, right = st.columns(2)
    with left:
        found = ask("taxi", _STEPS.format(grain=step), chosen)
        chart = _by_day(found, measure, f"{unit} per {step}")
        figure(f"{unit} by {step}", found, chart, name="trips_by_day")
    with right:
        found = ask("taxi", _HOURS, chosen)
        chart = _by_hour(found, measure, f"{unit}, average day")
        figure(f"{unit} by hour of the day", found, chart, name="trips_by_hour")
    zones = ask("taxi", _ZONES.format(measure=measure), chosen | {"boroughs": chosen_boroughs})
    chart = heat_map(zones, "pickup_hour", "zone", measure, x_title=HOUR, title=unit)
    title = f"{unit} by zone and hour of the pick-up (whole months, the {MAX_ZONES} busiest zones)"
    figure(title, zones, chart, name="trips_by_zone_hour")


def _by_day(data: pd.DataFrame, y: str, title: str) -> alt.Chart:
    chart = _base(data, "day:T", y, x_title=None, title=title)
    return chart.mark_line(color=PALETTE[0], point={"filled": True, "size": 35})


def _by_hour(data: pd.DataFrame, y: str, title: str) -> alt.Chart:
    chart = _base(data, "pickup_hour:O", y, x_title=HOUR, title=title)
    return chart.mark_bar(color=PALETTE[0], width=BAR_HEIGHT / 2)


def _base(data: pd.DataFrame, x: str, y: str, *, x_title: str | None, title: str) -> alt.Chart:
    return (
        alt.Chart(data)
        .encode(
            x=alt.X(x, title=x_title),
            y=alt.Y(f"{y}:Q", title=title, axis=alt.Axis(format="~s")),
            tooltip=[x, alt.Tooltip(f"{y}:Q", format=",.0f", title=title)],
        )
        .properties(height=HEIGHT)
    )
