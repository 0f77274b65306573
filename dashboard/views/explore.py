"""Every published table, without a page of its own: search, filters, a chart and downloads."""

from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.downloads import download_rows
from dashboard.figures import HEIGHT, PALETTE, link_lineage, show_rows
from dashboard.published import NothingToShowError, ask, described_columns, names
from warehouse import quoted

TITLE, ICON, GROUP, ORDER = "Explore", ":material/table_chart:", "Data", 40
MAX_ROWS = 1_000
# More values are searched rather than chosen.
MAX_VALUES = 200
MAX_BARS = 50
COUNT = "number of rows"


def show() -> None:
    st.title("Explore", anchor=False)
    domains = names()
    if not domains:
        raise NothingToShowError("Nothing is published yet. `make run` runs every pipeline.")
    columns = pd.concat([described_columns(name) for name in domains], ignore_index=True)
    sought = st.text_input("Search tables, columns and descriptions", st.query_params.get("search", ""))
    if sought:
        st.query_params["search"] = sought
    else:
        st.query_params.pop("search", None)
    texts = (
        columns["domain"] + " " + columns["table"] + " " + columns["column"] + " " + columns["description"]
    )
    found = columns[texts.str.contains(sought, case=False, regex=False)]
    if found.empty:
        st.info(f"No table, column or description has {sought!r}.")
        return
    tables = (found["domain"] + "." + found["table"]).unique().tolist()
    asked = st.query_params.get("table")
    chosen = st.selectbox("Table", tables, index=tables.index(asked) if asked in tables else 0)
    st.query_params["table"] = chosen
    domain, table = chosen.split(".")
    of_table = columns[(columns["domain"] == domain) & (columns["table"] == table)]
    with st.expander(f"{len(of_table)} columns"):
        st.dataframe(of_table[["column", "type", "description"]], hide_index=True, width="stretch")
    _rows(domain, table, dict(zip(of_table["column"], of_table["type"], strict=True)))


def _rows(domain: str, table: str, types: dict[str, str]) -> None:
    where, parameters = _filters(domain, table, types)
    source = f"marts.{quoted(table)} {where}"
    (total,) = ask(domain, f"select count(*) as rows from {source}", parameters)["rows"]
    st.subheader(f"{total:,} rows", anchor=False)
    if total:
        _chart(domain, table, where, parameters, types)
    data = ask(domain, f"select * from {source} limit {MAX_ROWS}", parameters)
    if total > MAX_ROWS:
        st.caption(f"The first {MAX_ROWS:,} rows, also in the downloads; `sluice sql` gives all of them.")
    link_lineage(data)
    show_rows(data)
    download_rows(data, f"{domain}_{table}")


def _filters(domain: str, table: str, types: dict[str, str]) -> tuple[str, list[Any]]:
    """Return the WHERE clause of the chosen filters, and its parameters."""
    conditions: list[str] = []
    parameters: list[Any] = []
    for name in st.multiselect("Filter by", list(types), key=f"filter_{domain}_{table}"):
        column = quoted(name)
        values = ask(
            domain,
            f"select distinct cast({column} as varchar) as value from marts.{quoted(table)} order by 1 limit {MAX_VALUES + 1}",
        )["value"]
        key = f"values_{domain}_{table}_{name}"
        if len(values) <= MAX_VALUES:
            picked = st.multiselect(name, [value for value in values if value is not None], key=key)
            if picked:
                conditions.append(f"list_contains(?, cast({column} as varchar))")
                parameters.append(picked)
        elif text := st.text_input(f"{name} contains", key=key):
            conditions.append(f"contains(lower(cast({column} as varchar)), lower(?))")
            parameters.append(text)
    return (f"where {' and '.join(conditions)}" if conditions else ""), parameters


def _chart(domain: str, table: str, where: str, parameters: list[Any], types: dict[str, str]) -> None:
    """Show a measure by a dimension, if both are chosen."""
    left, right = st.columns(2)
    dimension = left.selectbox("Chart by", list(types), index=None, key=f"by_{domain}_{table}")
    numeric = [
        name for name, kind in types.items() if kind.startswith(("DECIMAL", "DOUBLE", "BIGINT", "INT"))
    ]
    measure = right.selectbox("Sum of", [COUNT, *numeric], key=f"of_{domain}_{table}")
    if not dimension:
        return
    value = "count(*)" if measure == COUNT else f"sum({quoted(measure)})"
    is_time = types[dimension].startswith(("DATE", "TIMESTAMP"))
    order = "1" if is_time else "2 desc"
    limit = "" if is_time else f"limit {MAX_BARS}"
    data = ask(
        domain,
        f"select {quoted(dimension)} as dimension, cast({value} as double) as measure from marts.{quoted(table)} {where} group by 1 order by {order} {limit}",
        parameters,
    )
    base = alt.Chart(data).properties(height=HEIGHT)
    if is_time:
        chart = base.mark_line(color=PALETTE[0]).encode(
            x=alt.X("dimension:T", title=dimension), y=alt.Y("measure:Q", title=measure)
        )
    else:
        chart = base.mark_bar(color=PALETTE[0]).encode(
            x=alt.X("measure:Q", title=measure),
            y=alt.Y("dimension:N", title=dimension, sort="-x", axis=alt.Axis(labelLimit=260)),
        ).properties(height=alt.Step(18))  # fmt: skip
    st.altair_chart(chart, width="stretch")
