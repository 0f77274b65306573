"""A page for SQL over everything that is published."""

import streamlit as st

import settings as project_settings
from dashboard.downloads import download_rows
from dashboard.figures import show_rows
from dashboard.published import NothingToShowError, names
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
    default = f"select * from {domains[0]}.audit_{domains[0]}__row_counts"
    # What is in the address can be sent to somebody else.
    query = st.text_area("Query", st.query_params.get("query", default), height=160)
    if st.button("Run", type="primary"):
        st.query_params["query"] = query
    if st.query_params.get("query") != query:
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
