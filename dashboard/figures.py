"""Charts and numbers of all pages: a title, a chart or a sentence, and the data to download."""

import re
from typing import NamedTuple
from urllib.parse import quote

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.downloads import download_csv
from dashboard.metrics import definition, formatted_metric
from dashboard.published import MARTS
from dashboard.states import PALETTE, state_color

SHAPES = ["circle", "square", "triangle-up", "cross", "diamond", "triangle-down"]
DASHES = [[1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 6], [1, 4]]
MAX_SERIES = len(PALETTE)
# Labels are as fine as the ticks of an axis.
_TICKS = {
    "year": "%Y",
    "quarter": "%b %Y",
    "month": "%b %Y",
    "week": "%b %d",
    "date": "%b %d",
    "hours": "%b %d %H:%M",
    "minutes": "%H:%M",
    "seconds": "%H:%M:%S",
    "milliseconds": "%H:%M:%S",
}
# Numbers that are no counts.
_NO_COUNT = re.compile(r"(^|_)(id|key|year|quarter|month|day|hour|weekday|number|position)$")
HEIGHT = 300
LEGEND_HEIGHT = 50
# A narrow screen has room for more than names; the tooltip has the whole one.
LABEL_LIMIT = 180
# Thousands separators, and as many decimals as a tick has.
AXIS = ",~f"
BAR_HEIGHT = 24
# Colour of numbers at the end of bars.
LABEL = "#7F7F7F"


def figure(
    title: str, data: pd.DataFrame, chart: alt.Chart | alt.LayerChart | None = None, *, name: str
) -> None:
    """Show a chart with its title and its data as a CSV file; without a chart, a table.

    Args:
        title: what the chart shows, with the unit if no axis has it.
        data: the rows of the chart; without rows, a sentence replaces it.
        chart: the chart of these rows.
        name: the name of the CSV file.
    """
    st.subheader(title, anchor=False)
    if data.empty:
        st.info("No data matches the filters.")
        return
    if chart is None:
        show_rows(data)
    else:
        st.altair_chart(chart, width="stretch")
    download_csv(data, name)
    link_lineage(data)


def address(name: str) -> str:
    """Return the address of the page for the lineage of a table, a column, a page or a report."""
    return f"lineage?name={quote(name)}"


def link_lineage(data: pd.DataFrame) -> None:
    """Link to where rows come from, if they are those of `published.ask`."""
    links = [
        f'<a href="{address(mart)}" target="_self" style="color: inherit">{mart.partition(".")[2]}</a>'
        for mart in data.attrs.get(MARTS, ())
    ]
    if links:
        st.html(f"<small>Where does this come from? {', '.join(links)}</small>")


def show_rows(data: pd.DataFrame) -> None:
    """Show rows as a table.

    Times that are all midnight are dates, keys are shown to the last digit, counts have thousands separators, and a state
    has its colour.
    """
    times = data.select_dtypes("datetime").columns
    # As pandas stores dates.
    days = [name for name in times if (data[name].dropna() == data[name].dropna().dt.normalize()).all()]
    integers = data.select_dtypes("integer").columns
    # A browser rounds greater integers.
    big = [name for name in integers if (data[name].abs() > 2**53).any()]
    shown = data.assign(
        **{name: data[name].dt.date for name in days} | {name: data[name].astype(str) for name in big}
    )
    separated = st.column_config.NumberColumn(format="localized")
    columns = {name: separated for name in integers if name not in big and not _NO_COUNT.search(name)}
    table = shown.style.map(state_color, subset=["state"]) if "state" in shown else shown
    st.dataframe(table, hide_index=True, width="stretch", column_config=columns)


class Card(NamedTuple):
    """A number under its label, with what it means."""

    label: str
    value: str
    meaning: str | None = None


def metric_card(name: str, value: float | None) -> Card:
    """Return a value of a metric, as its definition says."""
    metric = definition(name)
    return Card(metric.label, formatted_metric(name, value), metric.description)


def metric_cards(found: pd.DataFrame) -> list[Card]:
    """Return a card per metric, from the row of a question that splits by nothing."""
    return [metric_card(str(name), value) for name, value in found.iloc[0].items()]


def numbers(*cards: Card) -> None:
    """Show numbers side by side, each under its label."""
    for column, card in zip(st.columns(len(cards)), cards, strict=True):
        column.metric(card.label, card.value, help=card.meaning)


def lines(
    data: pd.DataFrame, x: str, y: str, series: str, *, y_title: str, format: str = AXIS
) -> alt.LayerChart:
    """Return a chart with one line per series over time, each with its colour, dash and shape."""
    names = sorted(data[series].unique()) if not data.empty else []
    palette = alt.Scale(domain=names, range=PALETTE)
    base = alt.Chart(data).encode(
        x=alt.X(x, type="temporal", title=None),
        y=alt.Y(y, type="quantitative", title=y_title, axis=alt.Axis(format=format)),
        color=alt.Color(series, scale=palette, title=None, legend=alt.Legend(orient="bottom", columns=3)),
        tooltip=[alt.Tooltip(x, type="temporal"), series, alt.Tooltip(y, format=",.4~f", title=y_title)],
    )
    # Under another name: a field whose dashes have no legend would have none for colour and shape either.
    dashes = alt.StrokeDash("dash:N", scale=alt.Scale(domain=names, range=DASHES), legend=None)
    dashed = base.transform_calculate(dash=f"datum['{series}']")
    line = dashed.mark_line(strokeWidth=2).encode(strokeDash=dashes)
    points = base.mark_point(filled=True, size=40).encode(
        shape=alt.Shape(
            series,
            scale=alt.Scale(domain=names, range=SHAPES),
            title=None,
            legend=alt.Legend(orient="bottom", columns=3),
        )
    )
    return (line + points).properties(height=HEIGHT + LEGEND_HEIGHT)


def bars(
    data: pd.DataFrame, category: str, value: str, *, title: str, format: str = ",.0f"
) -> alt.LayerChart:
    """Return a chart with one bar per category, the longest first, each with its number."""
    base = alt.Chart(data).encode(
        y=alt.Y(category, type="nominal", sort="-x", title=None, axis=alt.Axis(labelLimit=260)),
        x=alt.X(
            value, type="quantitative", title=title, axis=alt.Axis(format=AXIS), scale=bar_scale(data[value])
        ),
        tooltip=[category, alt.Tooltip(value, format=format, title=title)],
    )
    labels = base.mark_text(align="left", dx=4, color=LABEL).encode(text=alt.Text(value, format=format))
    chart = base.mark_bar(color=PALETTE[0]) + labels
    return chart.properties(height=alt.Step(BAR_HEIGHT))


def heat_map(data: pd.DataFrame, x: str, y: str, value: str, *, x_title: str, title: str) -> alt.Chart:
    """Return a chart with one cell per pair of x and y, coloured by its value."""
    order = list(data.groupby(y)[value].sum().sort_values(ascending=False).index) if not data.empty else []
    return (
        alt.Chart(data)
        .mark_rect()
        .encode(
            x=alt.X(x, type="ordinal", title=x_title, axis=alt.Axis(labelAngle=0)),
            y=alt.Y(
                y,
                type="nominal",
                sort=order,
                title=None,
                axis=alt.Axis(labelLimit=LABEL_LIMIT, labelOverlap=False),
            ),
            color=alt.Color(
                value,
                type="quantitative",
                title=title,
                scale=alt.Scale(scheme="viridis"),
                legend=alt.Legend(orient="bottom", gradientLength=150),
            ),
            tooltip=[y, alt.Tooltip(x, title=x_title), alt.Tooltip(value, format=",.0f", title=title)],
        )
        .properties(height=alt.Step(18))
    )


def bar_scale(values: pd.Series, share: float = 0.18) -> alt.Scale:
    """Return a scale that starts at 0 or below, with room for a label at the end of the longest bar."""
    most = float(values.max()) if len(values) else 1.0
    return alt.Scale(
        domain=[min(0.0, float(values.min()) if len(values) else 0.0), most * (1 + share) or 1.0], nice=False
    )


def start_axis() -> alt.X:
    """Return the time axis of the column `started_at`."""
    axis = alt.Axis(format=_TICKS, tickCount=8, labelOverlap=True)
    return alt.X("started_at:T", title="Start (UTC)", axis=axis)


def formatted(value: float | None, template: str) -> str:
    """Return a number in a template such as `{:,.1f}`, or a dash if it is missing."""
    return "–" if value is None or pd.isna(value) else template.format(value)


def count(value: float | None) -> str:
    """Return a number without decimals, or a dash if it is missing."""
    return formatted(value, "{:,.0f}")


def share(value: float | None, places: int = 1) -> str:
    """Return a share from 0 to 1 in per cent, or a dash if it is missing."""
    return formatted(value, f"{{:.{places}%}}")


def ago(moment: pd.Timestamp | None) -> str:
    """Return how long ago a time (UTC) was, in the largest unit."""
    if moment is None or pd.isna(moment):
        return "–"
    moment = pd.Timestamp(moment)
    seconds = (pd.Timestamp.now("UTC") - (moment if moment.tz else moment.tz_localize("UTC"))).total_seconds()
    for unit, length in {"d": 86_400, "h": 3_600, "min": 60}.items():
        if seconds >= length:
            return f"{seconds / length:.0f} {unit} ago"
    return "just now"
