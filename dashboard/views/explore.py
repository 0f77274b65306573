"""Every published table, without a page of its own: search, filters, a chart and downloads."""

from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.downloads import download_rows
from dashboard.figures import AXIS, HEIGHT, bars, figure, link_lineage, show_rows
from dashboard.maps import Box, cell_size, coordinates, density_map
from dashboard.metrics import ask_metrics, metrics_of
from dashboard.published import NothingToShowError, ask, described_columns, names
from dashboard.states import PALETTE
from warehouse import quoted

TITLE, ICON, GROUP, ORDER = "Explore", ":material/table_chart:", "Data", 40
MAX_ROWS = 1_000
# More values are searched rather than chosen.
MAX_VALUES = 200
MAX_BARS = 50
COUNT = "number of rows"
NUMERIC = ("DECIMAL", "DOUBLE", "BIGINT", "INT")


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
        _map(domain, table, where, parameters, types)
    data = ask(domain, f"select * from {source} limit {MAX_ROWS}", parameters)
    if total > MAX_ROWS:
        st.caption(f"The first {MAX_ROWS:,} rows, also in the downloads; `sluice sql` gives all of them.")
    link_lineage(data)
    show_rows(data)
    download_rows(data, f"{domain}_{table}")


def _filters(domain: str, table: str, types: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """Return the WHERE clause of the chosen filters, and its parameters."""
    conditions: list[str] = []
    parameters: dict[str, Any] = {}
    for at, name in enumerate(
        st.multiselect("Filter by", list(types), key=f"filter_{domain}_{table}", bind="query-params")
    ):
        column = quoted(name)
        values = ask(
            domain,
            f"select distinct cast({column} as varchar) as value from marts.{quoted(table)} order by 1 limit {MAX_VALUES + 1}",
        )["value"]
        key = f"values_{domain}_{table}_{name}"
        if len(values) <= MAX_VALUES:
            picked = st.multiselect(
                name, [value for value in values if value is not None], key=key, bind="query-params"
            )
            if picked:
                conditions.append(f"list_contains($filter_{at}, cast({column} as varchar))")
                parameters[f"filter_{at}"] = picked
        elif text := st.text_input(f"{name} contains", key=key, bind="query-params"):
            conditions.append(f"contains(lower(cast({column} as varchar)), lower($filter_{at}))")
            parameters[f"filter_{at}"] = text
    return (f"where {' and '.join(conditions)}" if conditions else ""), parameters


def _chart(domain: str, table: str, where: str, parameters: dict[str, Any], types: dict[str, str]) -> None:
    """Show a measure by a dimension, if both are chosen."""
    metrics = {metric.title: metric for metric in metrics_of(domain) if metric.marts == (table,)}
    sums = {f"sum of {name}": name for name, kind in types.items() if kind.startswith(NUMERIC)}
    left, right = st.columns(2)
    measure = right.selectbox(
        "Measure", [COUNT, *metrics, *sums], key=f"of_{domain}_{table}", bind="query-params"
    )
    metric = metrics.get(measure)
    groups = [*metric.grains, *metric.dimensions] if metric else list(types)
    by = left.selectbox(
        "Chart by",
        groups,
        index=None,
        key=f"by_{domain}_{table}_{metric and metric.name}",
        bind="query-params",
    )
    if metric:
        right.caption(metric.description)
    if not by:
        return
    is_time = by in metric.grains if metric else types[by].startswith(("DATE", "TIMESTAMP"))
    if metric:
        steps, dimensions = (by, []) if is_time else (None, [by])
        order = "1" if is_time else f"2 desc limit {MAX_BARS}"
        data = ask_metrics(
            [metric.name], dimensions, steps, parameters=parameters, order=order, rows={table: where}
        )
    else:
        value = "count(*)" if measure == COUNT else f"sum({quoted(sums[measure])})"
        order = "1" if is_time else f"2 desc limit {MAX_BARS}"
        data = ask(
            domain,
            f"select {quoted(by)}, cast({value} as double) from marts.{quoted(table)} {where} group by 1 order by {order}",
            parameters,
        )
    data.columns = ["dimension", "measure"]
    format = metric.format if metric else ",.0f"
    if is_time:
        tooltip = ["dimension:T", alt.Tooltip("measure:Q", format=format, title=measure)]
        chart = (
            alt.Chart(data)
            .properties(height=HEIGHT)
            .mark_line(color=PALETTE[0], point=True)
            .encode(
                x=alt.X("dimension:T", title=by),
                y=alt.Y("measure:Q", title=measure, axis=alt.Axis(format=AXIS)),
                tooltip=tooltip,
            )
        )
        st.altair_chart(chart, width="stretch")
    else:
        st.altair_chart(bars(data, "dimension", "measure", title=measure, format=format), width="stretch")


def _map(domain: str, table: str, where: str, parameters: dict[str, Any], types: dict[str, str]) -> None:
    """Show the number of rows per grid cell, if the table has coordinates."""
    numeric = [name for name, kind in types.items() if kind.startswith((*NUMERIC, "FLOAT"))]
    found = coordinates(numeric)
    if not found:
        return
    latitude, longitude = map(quoted, found)
    rows = f"""
    from (
        select {latitude}::double as latitude, {longitude}::double as longitude from marts.{quoted(table)} {where}
    ) where latitude between -85 and 85 and longitude between -180 and 180
    """
    ends = ask(
        domain,
        f"select min(longitude) as west, min(latitude) as south, max(longitude) as east, max(latitude) as north {rows}",
        parameters,
    ).iloc[0]
    if ends.isna().any():
        return
    size = cell_size(Box(*ends))
    cells = ask(
        domain,
        # Many coordinates are rounded to the side of a cell, and a float is a little less or more than such a number.
        "select (floor(latitude / $size + 1e-6) + 0.5) * $size as latitude,"
        " (floor(longitude / $size + 1e-6) + 0.5) * $size as longitude,"
        f" count(*) as rows {rows} group by all order by all",
        parameters | {"size": size},
    )
    chart = density_map(cells, size, "rows", title="Rows", details={"rows": "Rows"})
    figure(f"Rows by {found[0]} and {found[1]}, cells of {size:g}°", cells, chart, name=f"{table}_map")
