"""Where a column comes from, from a file or API to pages and reports, and what a change of it reaches."""

from collections.abc import Iterable
from html import escape

import pandas as pd
import streamlit as st

import settings as project_settings
from dashboard.downloads import download_csv
from dashboard.figures import Card, address, ago, count, numbers, show_rows
from dashboard.lineage_drawing import Texts, draw
from dashboard.lineage_facts import Facts, facts_of
from dashboard.lineage_graph import BOTH, DOWNSTREAM, UPSTREAM, Graph, graph_of
from dashboard.published import NothingToShowError, ask_if_published, domains
from lineage.artefact import LineageError
from lineage.graph import Lineage
from publishing.lineage import all_published
from transformation.manifest import row_counts_mart

TITLE, ICON, GROUP, ORDER = "Lineage", ":material/account_tree:", "Data", 45
DIRECTIONS = {
    BOTH: "Both directions",
    UPSTREAM: "Where it comes from",
    DOWNSTREAM: "What breaks if it changes",
}

# The last result of each test, the last build of each model, and what was loaded.
_TESTS = """
select tested_model, state, count(*) as tests from (
    select tested_model, state from marts.fct_test_results
    qualify row_number() over (partition by test order by tested_at desc) = 1
) group by all
"""
_BUILT = "select model_name, max(ended_at) as built_at from marts.fct_model_runs where state = 'success' group by all"
_LOADED = "select entity, sum(rows_read)::bigint as rows, max(loaded_at) as loaded_at from marts.{row_counts} group by all"


def show() -> None:
    st.title("Lineage", anchor=False)
    try:
        lineage = all_published(project_settings.load())
    except LineageError as error:
        raise NothingToShowError(
            "Nothing is published yet that has a lineage. `make run` runs every pipeline."
        ) from error
    name = _chosen(lineage)
    direction = _direction(name in lineage.readers)
    graph = graph_of(lineage, name, direction)
    facts = _facts(box for box in graph.boxes if box in lineage.tables)
    _head(lineage, name, facts)
    labels = {reader.name: reader.label for reader in lineage.readers.values()}
    st.html(draw(graph, Texts(labels, _notes(facts), _tips(lineage, graph, facts))))
    st.caption(
        "A line is a value that is computed from another; a dashed one only decides which rows there are."
    )
    if name not in lineage.tables and name not in lineage.readers:
        _rows(lineage, name, direction)
    _tables(graph, facts, name)


def _facts(tables: Iterable[str]) -> dict[str, Facts]:
    loaded = {
        domain: ask_if_published(domain, _LOADED.format(row_counts=row_counts_mart(domain)))
        for domain in domains()
    }
    return facts_of(tables, ask_if_published("health", _TESTS), ask_if_published("health", _BUILT), loaded)


def _chosen(lineage: Lineage) -> str:
    """Return the name that the address has or the visitor chooses."""
    columns = [f"{name}.{column}" for name, table in lineage.tables.items() for column in table.columns]
    names = sorted([*lineage.tables, *columns, *lineage.readers])
    asked = st.query_params.get("name", "")
    if asked and asked not in names:
        st.warning(f"No table or column is called {asked}.")
    first = next(each for each in names if each.startswith("marts."))
    labels = {reader.name: reader.label for reader in lineage.readers.values()}
    chosen = st.selectbox(
        "Search a table, a column, a page or a report",
        names,
        index=names.index(asked if asked in names else first),
        format_func=lambda each: labels.get(each, each),
    )
    st.query_params["name"] = chosen
    return chosen


def _direction(is_reader: bool) -> str:
    """Return the direction that the address has or the visitor chooses; nothing follows a page or report."""
    if is_reader:
        return UPSTREAM
    asked = st.query_params.get("show", BOTH)
    chosen = st.segmented_control(
        "Show", list(DIRECTIONS), default=asked if asked in DIRECTIONS else BOTH, format_func=DIRECTIONS.get
    )
    st.query_params["show"] = chosen or BOTH
    return chosen or BOTH


def _head(lineage: Lineage, name: str, facts: dict[str, Facts]) -> None:
    """Show the description, and what a change reaches."""
    if name in lineage.readers:
        return
    table = lineage.table_of(name)
    column = name.rpartition(".")[2] if name != table else None
    kind, text = facts[table].columns.get(column, ("", "")) if column else ("", facts[table].description)
    st.markdown(" · ".join(filter(None, [f"`{kind}`" if kind else "", text])))
    if column and (expression := lineage.column(name).expression):
        st.code(expression, language="sql", wrap_lines=True)
    personal = [each for each in (name, *lineage.upstream(name).direct) if lineage.column(each).personal]
    if personal:
        st.markdown(f":material/person: About persons: {', '.join(f'`{each}`' for each in personal)}")
    reach = lineage.downstream(name)
    kinds = [lineage.readers[each].kind for each in reach.readers]
    numbers(
        Card(
            "Published columns computed from it",
            count(sum(each.startswith("marts.") for each in reach.direct)),
        ),
        Card(
            "Published tables whose rows it decides",
            count(sum(each.startswith("marts.") for each in reach.rows)),
        ),
        Card("Pages", count(kinds.count("page"))),
        Card("Reports", count(kinds.count("report"))),
    )
    links = [
        f'<a href="{address(each)}" target="_self" style="color: inherit">{escape(lineage.readers[each].label)}</a>'
        for each in reach.readers
    ]
    if links:
        st.html(" · ".join(links))


def _rows(lineage: Lineage, name: str, direction: str) -> None:
    """List the columns that decide the rows of the column's table."""
    if direction == DOWNSTREAM:
        return
    found = pd.DataFrame(
        [each.rpartition(".")[::2] for each in lineage.upstream(name).rows], columns=["table", "column"]
    )
    with st.expander(f"{len(found)} columns decide which rows its table has"):
        if found.empty:
            st.write("None does.")
        else:
            by_table = found.groupby("table", as_index=False)["column"].agg(", ".join)
            show_rows(by_table.rename(columns={"column": "columns"}))


def _tables(graph: Graph, facts: dict[str, Facts], name: str) -> None:
    rows = [
        {
            "table": table,
            "columns": ", ".join(column.rpartition(".")[2] for column in graph.boxes[table].columns),
            "rows": "" if facts[table].rows is None else count(facts[table].rows),
            "tests": facts[table].tested,
            "fresh": ago(facts[table].fresh_at),
            "description": facts[table].description,
        }
        for table in sorted(facts, key=lambda each: (graph.boxes[each].layer, each))
    ]
    if rows:
        st.subheader(f"{len(rows)} tables", anchor=False)
        data = pd.DataFrame(rows)
        show_rows(data)
        download_csv(data, f"lineage_{name.replace('.', '_')}")


def _notes(facts: dict[str, Facts]) -> dict[str, str]:
    """Return what stands above the names of tables: their rows, and a sign for their tests."""
    found = {}
    for name, each in facts.items():
        rows = f"{count(each.rows)} rows" if each.rows is not None else ""
        found[name] = " ".join(filter(None, [rows, each.tested[:1]]))
    return {name: text for name, text in found.items() if text}


def _tips(lineage: Lineage, graph: Graph, facts: dict[str, Facts]) -> dict[str, str]:
    found = {}
    for name, each in facts.items():
        fresh = f"fresh: {ago(each.fresh_at)}" if each.fresh_at is not None else ""
        found[name] = "\n".join(filter(None, [name, each.description, each.tested, fresh]))
        for column in graph.boxes[name].columns:
            kind, text = each.columns.get(column.rpartition(".")[2], ("", ""))
            expression = lineage.column(column).expression
            found[column] = "\n".join(
                filter(None, [f"{column} {kind}".strip(), text, expression and f"= {expression}"])
            )
    return found
