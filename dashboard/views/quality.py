"""The rules that rows fail, examples of such rows, and the results of tests."""

import json

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.figures import HEIGHT, LABEL, Card, bars, count, figure, numbers, share
from dashboard.filters import one_of, some_of
from dashboard.published import NothingToShowError, ask, ask_if_published, domains
from dashboard.states import PALETTE, with_sign
from transformation.manifest import failed_rules_mart, row_counts_mart

TITLE, ICON, GROUP, ORDER = "Quality", ":material/rule:", "Pipelines", 20

_FILES = """
select entity, source_file, rows_read, rows_clean, rows_quarantined, rows_superseded, rows_rejected, loaded_at
from marts.{row_counts} order by rows_quarantined + rows_rejected desc, source_file
"""
_RULES = """
select entity, rule, source_file, loaded_at::date as loaded_on, rows_quarantined, examples
from marts.{failed_rules} order by rows_quarantined desc, entity, rule, source_file
"""
# The last result of each test.
_TESTS = """
select test, tested_model, state, failures, seconds, tested_at, message
from marts.fct_test_results where pipeline = ?
qualify row_number() over (partition by test order by tested_at desc) = 1
order by state = 'success', test
"""


def show() -> None:
    st.title("Data quality", anchor=False)
    known = domains()
    if not known:
        st.info("Nothing is published yet. `make run` runs every pipeline.")
        return
    domain = one_of("Domain", known)
    files = ask(domain, _FILES.format(row_counts=row_counts_mart(domain)))
    sums = files[["rows_read", "rows_clean", "rows_quarantined", "rows_superseded", "rows_rejected"]].sum()
    numbers(
        Card("Rows read", count(sums["rows_read"])),
        Card("Quarantined", count(sums["rows_quarantined"])),
        Card("Quarantined share", share(sums["rows_quarantined"] / (sums["rows_read"] or float("nan")), 2)),
        Card("Lines rejected", count(sums["rows_rejected"])),
        Card("Superseded", count(sums["rows_superseded"])),
    )
    _rules(domain)
    figure("Rows per file", files, name=f"{domain}_rows_by_file")
    _tests(domain)


def _rules(domain: str) -> None:
    try:
        rules = ask(domain, _RULES.format(failed_rules=failed_rules_mart(domain)))
    except NothingToShowError as error:  # the rest of the page does not depend on it
        st.info(str(error))
        return
    if rules.empty:
        st.success("No row is quarantined.", icon="✔")
        return
    filters = {"Entities": "entity", "Rules": "rule", "Files": "source_file"}
    for place, (label, column) in zip(st.columns(3), filters.items(), strict=True):
        rules = rules[rules[column].isin(some_of(place, label, sorted(rules[column].unique())))]
    shown = rules.drop(columns="examples")
    left, right = st.columns(2)
    with left:
        totals = shown.groupby("rule", as_index=False)["rows_quarantined"].sum()
        chart = bars(totals, "rule", "rows_quarantined", title="Quarantined rows")
        figure("Quarantined rows by rule", totals, chart, name=f"{domain}_rows_by_rule")
    with right:
        days = shown.groupby(["loaded_on", "source_file"], as_index=False)["rows_quarantined"].sum()
        figure("Failed rules by day of the load and file", days, _by_day(days), name=f"{domain}_rules_by_day")
    _examples(domain, rules)


def _examples(domain: str, rules: pd.DataFrame) -> None:
    """Show the examples of one rule and file, in the columns in which they were delivered."""
    if rules.empty:
        return
    labels = [
        f"{row.rule} ({row.entity}), {count(row.rows_quarantined)} rows of {row.source_file}"
        for row in rules.itertuples()
    ]
    chosen = st.selectbox("Examples of", range(len(labels)), format_func=labels.__getitem__)
    examples = pd.DataFrame(json.loads(rules["examples"].iloc[chosen]))
    own = [name for name in examples.columns if not name.startswith("_")]
    shown = examples[["_source_row", *own]].rename(columns={"_source_row": "row of the file"})
    figure("Examples of these rows, as delivered", shown, name=f"{domain}_examples")


def _tests(domain: str) -> None:
    tests = ask_if_published("health", _TESTS, [domain])
    if tests.empty:
        st.subheader("Test results", anchor=False)
        st.info("No test results are collected yet. `sluice health` collects them.")
        return
    failed = int((tests["state"] != "success").sum())
    tests["state"] = [with_sign(state, state) for state in tests["state"]]
    outcome = f"{failed} of {len(tests)} failed"
    title = f"Last result of each test: {f':red[{outcome}]' if failed else outcome}"
    figure(title, tests, name=f"{domain}_tests")


def _by_day(days: pd.DataFrame) -> alt.Chart:
    return (
        alt.Chart(days)
        .mark_circle(color=PALETTE[1])
        .encode(
            x=alt.X(
                "yearmonthdate(loaded_on):T",
                title="Day of the load (UTC)",
                axis=alt.Axis(format="%Y-%m-%d", tickCount="day", labelOverlap=True),
            ),
            y=alt.Y("source_file:N", title=None, axis=alt.Axis(labelLimit=260)),
            size=alt.Size(
                "rows_quarantined:Q",
                title="Failed rules",
                scale=alt.Scale(range=[40, 700]),
                legend=alt.Legend(symbolFillColor=LABEL, orient="bottom", tickCount=3),
            ),
            tooltip=["source_file", "loaded_on:T", alt.Tooltip("rows_quarantined", format=",")],
        )
        .properties(height=HEIGHT)
    )
