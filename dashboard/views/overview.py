"""A card per domain, and a timeline of all runs."""

from typing import Any

import altair as alt
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.figures import ago, count, figure, share, start_axis, state_scales, with_sign
from dashboard.published import NothingToShowError, ask, ask_if_published, ask_row, domains, published_at
from transformation.manifest import row_counts_mart

TITLE, ICON, GROUP, ORDER = "Overview", ":material/dashboard:", "Pipelines", 10

CARDS_PER_ROW = 3
PERIODS = {"the last day": 1, "the last 7 days": 7, "the last 30 days": 30, "the last year": 365}

_ROWS = """
select sum(rows_read)::bigint as rows_read, sum(rows_clean)::bigint as rows_clean,
    sum(rows_quarantined)::bigint as rows_quarantined, max(loaded_at) as loaded_at
from marts.{row_counts}
"""
_HEALTH = """
select pipeline, last_run_at, last_state, success_rate_last_10, runs_counted, average_seconds
from marts.agg_pipeline_health
"""
_RUNS = """
select pipeline, run_id, state, started_at, ended_at, seconds, rows_in, rows_out, error
from marts.fct_pipeline_runs
where started_at >= $since order by started_at
"""


def show() -> None:
    st.title("Overview", anchor=False)
    health = ask_if_published("health", _HEALTH)
    by_pipeline = {row.pipeline: row for row in health.itertuples()}
    shown = domains()
    if not shown:
        st.info("Nothing is published yet. `make run` runs every pipeline.")
    if not by_pipeline:
        st.info("No runs are collected yet. `sluice health` collects them.")
    for row in (shown[start : start + CARDS_PER_ROW] for start in range(0, len(shown), CARDS_PER_ROW)):
        for column, domain in zip(st.columns(CARDS_PER_ROW), row, strict=False):
            with column.container(border=True):
                _card(domain, by_pipeline.get(domain))
    if by_pipeline:
        _timeline()


def _card(domain: str, health: Any) -> None:
    st.subheader(domain.capitalize(), anchor=False)
    moment = published_at(domain)
    try:
        rows = ask_row(domain, _ROWS.format(row_counts=row_counts_mart(domain)))
    except NothingToShowError as error:
        st.info(str(error))
        return
    left, right = st.columns(2)
    _fact(left, "Published", ago(moment), f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "")
    _fact(right, "Newest input", ago(rows["loaded_at"]), "When the newest input was loaded.")
    if health:
        at = f"{ago(health.last_run_at)}, {health.last_run_at:%Y-%m-%d %H:%M} UTC"
        _fact(left, "Last run", with_sign(health.last_state, health.last_state), at)
        of_runs = f"Of the last {health.runs_counted:.0f} finished runs."
        _fact(right, "Success rate", share(health.success_rate_last_10, 0), of_runs)
    _fact(left, "Clean rows", count(rows["rows_clean"]), f"Of {count(rows['rows_read'])} rows read.")
    quarantined = rows["rows_quarantined"] / rows["rows_read"] if rows["rows_read"] else None
    of_read = f"{share(quarantined, 2)} of the rows read."
    _fact(right, "Quarantined", count(rows["rows_quarantined"]), of_read)


def _fact(place: DeltaGenerator, label: str, value: str, tooltip: str) -> None:
    place.markdown(f":gray[{label}]  \n**{value}**", help=tooltip)


def _timeline() -> None:
    days = PERIODS[st.selectbox("Period", list(PERIODS))]
    # To the minute, as long as the answer is kept.
    since = pd.Timestamp.now("UTC").floor("min").tz_localize(None) - pd.Timedelta(days=days)
    runs = ask("health", _RUNS, {"since": since.to_pydatetime()})
    figure("Runs by start and state", runs, _runs_chart(runs), name="runs")


def _runs_chart(runs: pd.DataFrame) -> alt.Chart:
    return (
        alt.Chart(runs)
        .mark_point(filled=True, size=90, opacity=0.85)
        .encode(
            x=start_axis(),
            y=alt.Y("pipeline:N", title=None),
            tooltip=[
                "pipeline",
                "state",
                alt.Tooltip("started_at:T", format="%Y-%m-%d %H:%M:%S"),
                alt.Tooltip("seconds:Q", format=",.1f"),
                "error",
            ],
            **state_scales(runs["state"]),
        )
        .properties(height=alt.Step(36))
    )
