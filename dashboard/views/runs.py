"""The durations of runs and models, and the tasks of a run over time."""

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.figures import (
    HEIGHT,
    LABEL_LIMIT,
    Card,
    bars,
    count,
    figure,
    formatted,
    numbers,
    share,
    start_axis,
)
from dashboard.filters import one_of
from dashboard.published import ask, ask_row
from dashboard.states import PALETTE, rate_state, state_scales, with_sign

TITLE, ICON, GROUP, ORDER = "Runs", ":material/timer:", "Pipelines", 30

MAX_RUNS, MAX_MODELS = 200, 20

_PIPELINES = "select pipeline from marts.agg_pipeline_health order by pipeline"
_HEALTH = "select * from marts.agg_pipeline_health where pipeline = ?"
_RUNS = f"""
select run_id, state, started_at, ended_at, seconds, rows_in, rows_out, rows_failed, error
from marts.fct_pipeline_runs where pipeline = ? and started_at is not null order by started_at desc limit {MAX_RUNS}
"""
_SLOWEST = f"""
select model_name, executions, average_seconds, p95_seconds, longest_seconds, last_seconds, total_seconds
from marts.agg_slowest_models where pipeline = ? order by average_seconds desc, model_name limit {MAX_MODELS}
"""
_MODEL = f"""
select started_at, seconds, state, rows_affected
from marts.fct_model_runs where pipeline = ? and model_name = ? order by started_at desc limit {MAX_RUNS}
"""
_TASKS = """
select task, state, tries, started_at, ended_at, seconds
from marts.fct_task_runs where pipeline = ? and run_id = ? and started_at is not null order by started_at, task
"""
# A run from a shell has no tasks; these are the models that dbt built in it.
_NODES = """
select model_name as task, state, 1 as tries, started_at, ended_at, seconds
from marts.fct_model_runs where pipeline = ? and run_id = ? order by started_at, task
"""


def show() -> None:
    st.title("Runs", anchor=False)
    pipelines = list(ask("health", _PIPELINES)["pipeline"])
    if not pipelines:
        st.info("No run is collected yet. `sluice health` collects them.")
        return
    pipeline = one_of("Pipeline", pipelines)
    health = ask_row("health", _HEALTH, [pipeline])
    numbers(
        Card("Executions", count(health["executions"])),
        Card("Success rate of the last 10", _rate(health["success_rate_last_10"])),
        Card("Average seconds", formatted(health["average_seconds"], "{:,.1f}")),
        Card("P95 seconds", formatted(health["p95_seconds"], "{:,.1f}")),
        Card("Trend of the duration", formatted(health["duration_trend"], "{:+.0%}")),
    )
    runs = ask("health", _RUNS, [pipeline])
    figure("Duration of the runs", runs, _durations(runs), name=f"{pipeline}_runs")
    _gantt(pipeline, runs)
    _models(pipeline)


def _rate(rate: float | None) -> str:
    state = rate_state(rate)
    return with_sign(state, share(rate, 0)) if state else share(rate, 0)


def _gantt(pipeline: str, runs: pd.DataFrame) -> None:
    if runs.empty:
        return
    signs = {row.run_id: with_sign(row.state, row.run_id) for row in runs.itertuples()}
    run_id = one_of("Run", list(signs), format_func=signs.__getitem__)
    tasks = ask("health", _TASKS, [pipeline, run_id])
    if tasks.empty:
        tasks = ask("health", _NODES, [pipeline, run_id])
    figure("Tasks of the run", tasks, _gantt_chart(tasks), name=f"{pipeline}_tasks")


def _models(pipeline: str) -> None:
    models = ask("health", _SLOWEST, [pipeline])
    chart = bars(models, "model_name", "average_seconds", title="Seconds, average", format=",.2f")
    figure(f"The {MAX_MODELS} slowest models", models, chart, name=f"{pipeline}_models")
    if models.empty:
        return
    model = one_of("Model", list(models["model_name"]))
    times = ask("health", _MODEL, [pipeline, model])
    figure(f"Duration of {model}", times, _durations(times), name=f"{pipeline}_model")


def _durations(runs: pd.DataFrame) -> alt.LayerChart:
    base = alt.Chart(runs).encode(
        x=start_axis(),
        y=alt.Y("seconds:Q", title="Duration (s)", scale=alt.Scale(zero=True)),
    )
    points = base.mark_point(filled=True, size=70).encode(
        tooltip=[
            alt.Tooltip("started_at:T", format="%Y-%m-%d %H:%M:%S"),
            "state",
            alt.Tooltip("seconds:Q", format=",.2f"),
        ],
        **state_scales(runs["state"]),
    )
    return (base.mark_line(color=PALETTE[5], opacity=0.5) + points).properties(height=HEIGHT)


def _gantt_chart(tasks: pd.DataFrame) -> alt.Chart:
    labels = [with_sign(row.state, row.task) for row in tasks.itertuples()]
    return (
        alt.Chart(tasks.assign(label=labels))
        .mark_bar(height=12, cornerRadius=2)
        .encode(
            x=alt.X("started_at:T", title="Time (UTC)", axis=alt.Axis(format="%H:%M:%S")),
            x2="ended_at:T",
            y=alt.Y(
                "label:N",
                sort=alt.SortField("started_at"),
                title=None,
                axis=alt.Axis(labelLimit=LABEL_LIMIT, labelOverlap=False),
            ),
            color=state_scales(tasks["state"])["color"],
            tooltip=["task", "state", "tries", alt.Tooltip("seconds:Q", format=",.2f")],
        )
        .properties(height=alt.Step(18))
    )
