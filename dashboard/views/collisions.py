"""Collisions by month, borough and severity, with a map."""

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.figures import HEIGHT, LABEL, PALETTE, SHAPES, bar_scale, count, figure, lines, numbers
from dashboard.filters import period, some_of
from dashboard.published import ask, ask_row

TITLE, ICON, GROUP, ORDER = "Collisions", ":material/car_crash:", "Domains", 100

_SPAN = """
select min(crash_month) as first, last_day(max(crash_month)) as last, list_sort(list(distinct borough)) as boroughs
from marts.agg_collisions_by_month_borough
"""
_SEVERITIES = ["fatal", "injury", "property_damage"]
_CHOSEN = "crash_month between date_trunc('month', $first::date) and $last::date and list_contains($boroughs, borough)"
_HARMED = f"""
select sum(persons_injured) as injured, sum(persons_killed) as killed
from marts.agg_collisions_by_month_borough where {_CHOSEN}
"""
# One row per month, borough and severity.
_COUNTS = f"""
from (
    select crash_month, borough, unnest([
        {{'severity': 'fatal', 'collisions': fatal_collisions}},
        {{'severity': 'injury', 'collisions': injury_collisions}},
        {{'severity': 'property_damage', 'collisions': collisions - fatal_collisions - injury_collisions}}
    ], recursive := true)
    from marts.agg_collisions_by_month_borough where {_CHOSEN}
)
where list_contains($severities, severity)
"""
_MONTHS = (
    f"select crash_month, severity, sum(collisions)::bigint as collisions {_COUNTS} group by all order by all"
)
_BOROUGHS = (
    f"select borough, severity, sum(collisions)::bigint as collisions {_COUNTS} group by all order by all"
)
_PLACES = f"""
select latitude::double as latitude, longitude::double as longitude, borough, sum(collisions)::bigint as collisions,
    sum(casualties)::bigint as casualties
from marts.agg_collisions_by_place where {_CHOSEN} and list_contains($severities, severity)
group by all order by all
"""


def show() -> None:
    st.title("Collisions in New York", anchor=False)
    span = ask_row("collisions", _SPAN)
    dates, boroughs, severities = st.columns([2, 3, 3])
    first, last = period(dates, span)
    chosen_boroughs = some_of(boroughs, "Boroughs", list(span["boroughs"]))
    chosen = {"first": first, "last": last, "boroughs": chosen_boroughs}
    chosen_severities = {"severities": some_of(severities, "Severity", _SEVERITIES)}
    harmed = ask_row("collisions", _HARMED, chosen)
    months = ask("collisions", _MONTHS, chosen | chosen_severities)
    numbers(
        collisions=count(months["collisions"].sum()),
        persons_injured=count(harmed["injured"]),
        persons_killed=count(harmed["killed"]),
    )
    chart = lines(months, "crash_month", "collisions", "severity", y_title="Collisions per month")
    figure("Collisions by month and severity", months, chart, name="collisions_by_month")
    left, right = st.columns(2)
    with left:
        found = ask("collisions", _BOROUGHS, chosen | chosen_severities)
        figure("Collisions by borough and severity", found, _boroughs(found), name="collisions_by_borough")
    with right:
        places = ask("collisions", _PLACES, chosen | chosen_severities)
        figure("Places of collisions, by km²", places, _map(places), name="collisions_by_place")


def _boroughs(found: pd.DataFrame) -> alt.LayerChart:
    """One bar per borough and severity, each with its number and name."""
    colors = alt.Scale(domain=_SEVERITIES, range=PALETTE)
    base = alt.Chart(found).encode(
        y=alt.Y("borough:N", title=None),
        yOffset=alt.YOffset("severity:N", sort=_SEVERITIES),
        x=alt.X(
            "collisions:Q",
            title="Collisions",
            axis=alt.Axis(format="~s"),
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


def _map(places: pd.DataFrame) -> alt.Chart:
    """Places as points, without map tiles, which would come from the internet."""
    names = sorted(places["borough"].unique()) if not places.empty else []
    degrees = alt.Scale(zero=False, nice=False, padding=12)
    return (
        alt.Chart(places)
        .mark_point(filled=True, opacity=0.75)
        .encode(
            x=alt.X("longitude:Q", title="Longitude (°)", scale=degrees),
            y=alt.Y("latitude:Q", title="Latitude (°)", scale=degrees),
            size=alt.Size(
                "collisions:Q",
                title="Collisions",
                scale=alt.Scale(range=[10, 260]),
                legend=alt.Legend(symbolFillColor=LABEL),
            ),
            color=alt.Color("borough:N", title="Borough", scale=alt.Scale(domain=names, range=PALETTE)),
            shape=alt.Shape("borough:N", title="Borough", scale=alt.Scale(domain=names, range=SHAPES)),
            tooltip=["borough", "latitude", "longitude", "collisions", "casualties"],
        )
        .properties(height=HEIGHT * 1.8)
        .interactive()
    )
