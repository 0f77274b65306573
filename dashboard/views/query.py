"""A page for SQL over everything that is published."""

import streamlit as st

import settings as project_settings
from dashboard.downloads import download_rows
from dashboard.figures import show_rows
from dashboard.published import NothingToShowError, names
from dashboard.saved_queries import saved_queries
from publishing.published_sql import QueryError, run_query

TITLE, ICON, GROUP, ORDER = "SQL", ":material/terminal:", "Data", 50
MAX_ROWS = 10_000
SECONDS = 30.0


def show() -> None:
    st.title("SQL", anchor=False)
    domains = names()
    if not domains:
        raise NothingToShowError("Nothing is published yet. `make run` runs every pipeline.")
    st.caption(
        f"DuckDB's SQL. A table is `domain.table`; domains: {', '.join(f'`{name}`' for name in domains)}. "
        "`show all tables` lists the tables. A query reads published data and nothing else."
    )
    saved = saved_queries()
    chosen = st.selectbox(
        "Saved query",
        list(saved),
        index=None,
        format_func=lambda name: saved[name].title,
        placeholder="none",
        key="saved",
        bind="query-params",
    )
    if chosen:
        st.caption(saved[chosen].description)
        default = saved[chosen].sql
    else:
        # What is in the address can be sent to somebody else.
        default = st.query_params.get("query", f"select * from {domains[0]}.audit_{domains[0]}__row_counts")
    query = st.text_area("Query", default, height=200, key=f"query_{chosen}")
    if st.button("Run", type="primary") and not (chosen and query == default):
        st.query_params["query"] = query
    if st.query_params.get("query") != query and not (chosen and query == default):
        return
    try:
        with run_query(query, project_settings.load(), seconds=SECONDS) as rows:
            data = rows.limit(MAX_ROWS + 1).df()
    except QueryError as error:
        st.error(str(error))
        return
    if len(data) > MAX_ROWS:
        data = data.head(MAX_ROWS)
        st.info(f"The first {MAX_ROWS:,} rows. Add a `limit`, or aggregate.")
    show_rows(data)
    download_rows(data, "query")
