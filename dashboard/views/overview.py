"""A card per domain, and a timeline of all runs."""

from html import escape
from typing import Any, NamedTuple
from urllib.parse import quote

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.exposures import VIEWS
from dashboard.figures import ago, count, figure, share, start_axis
from dashboard.filters import one_of
from dashboard.published import NothingToShowError, ask, ask_if_published, ask_row, domains, published_at
from dashboard.states import STATES, rate_state, state_scales, with_sign
from transformation.manifest import row_counts_mart

TITLE, ICON, GROUP, ORDER = "Overview", ":material/dashboard:", "Pipelines", 10

CARDS_PER_ROW = 3
GRID = "display: grid; grid-template-columns: 1fr 1fr; gap: 0.75rem"
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
    link = domain if (VIEWS / f"{domain}.py").exists() else f"explore?search={quote(domain)}"
    title = f'<a href="{link}" target="_self" style="color: inherit">{escape(domain.capitalize())}</a>'
    st.html(f'<h3 style="padding: 0; margin: 0">{title}</h3>')
    moment = published_at(domain)
    try:
        rows = ask_row(domain, _ROWS.format(row_counts=row_counts_mart(domain)))
    except NothingToShowError as error:
        st.info(str(error))
        return
    facts = [
        Fact("Published", ago(moment), f"{moment:%Y-%m-%d %H:%M} UTC" if moment else ""),
        Fact("Newest input", ago(rows["loaded_at"]), "When the newest input was loaded."),
    ]
    if health:
        at = f"{ago(health.last_run_at)}, {health.last_run_at:%Y-%m-%d %H:%M} UTC"
        rate = health.success_rate_last_10
        of_runs = f"Of the last {health.runs_counted:.0f} finished runs."
        facts += [
            Fact("Last run", health.last_state, at, health.last_state, f"runs?pipeline={quote(domain)}"),
            Fact(
                "Success rate",
                share(rate, 0),
                of_runs,
                rate_state(rate),
                f"runs?pipeline={quote(domain)}",
            ),
        ]
    quarantined = rows["rows_quarantined"] / rows["rows_read"] if rows["rows_read"] else None
    of_read = f"{share(quarantined, 2)} of the rows read."
    facts += [
        Fact("Clean rows", count(rows["rows_clean"]), f"Of {count(rows['rows_read'])} rows read."),
        Fact(
            "Quarantined", count(rows["rows_quarantined"]), of_read, None, f"quality?domain={quote(domain)}"
        ),
    ]
    st.html(f'<div style="{GRID}">{"".join(map(_fact, facts))}</div>')


class Fact(NamedTuple):
    """A value of a domain: under its label, with more in its tooltip, in the colour of a state, and where it leads."""

    label: str
    value: str
    tooltip: str
    state: str | None = None
    link: str | None = None


def _fact(fact: Fact) -> str:
    color = f"color: {STATES[fact.state][0]}" if fact.state in STATES else "color: inherit"
    value = escape(with_sign(fact.state, fact.value) if fact.state else fact.value)
    if fact.link:
        value = f'<a href="{fact.link}" target="_self" style="{color}">{value}</a>'
    return (
        f'<div title="{escape(fact.tooltip)}"><small style="opacity: 0.7">{fact.label}</small><br>'
        f'<b style="{color}">{value}</b></div>'
    )


def _timeline() -> None:
    days = PERIODS[one_of("Period", list(PERIODS))]
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
