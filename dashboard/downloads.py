"""Buttons that download rows."""

import io

import pandas as pd
import streamlit as st

from common.spreadsheet import without_formula


def download_rows(data: pd.DataFrame, name: str) -> None:
    """Show a button for the rows as CSV, and one for them as Parquet.

    Args:
        data: the rows.
        name: the name of the files.
    """
    left, right, _ = st.columns([1, 1, 4])
    with left:
        download_csv(data, name)
    right.download_button(
        "Data as Parquet",
        lambda: _parquet(data),
        f"{name}.parquet",
        "application/vnd.apache.parquet",
        key=f"parquet_{name}",
        icon=":material/download:",
        # A run of the script would take the other button's file away while it is clicked.
        on_click="ignore",
    )


def download_csv(data: pd.DataFrame, name: str) -> None:
    """Show a button for the rows as CSV."""
    st.download_button(
        "Data as CSV",
        csv(data),
        f"{name}.csv",
        "text/csv",
        key=f"csv_{name}",
        icon=":material/download:",
        on_click="ignore",
    )


def csv(data: pd.DataFrame) -> str:
    """Return rows as CSV, with an apostrophe before each text that a spreadsheet program would run as a formula."""
    return data.map(lambda value: without_formula(value) if isinstance(value, str) else value).to_csv(
        index=False
    )


def _parquet(data: pd.DataFrame) -> bytes:
    file = io.BytesIO()
    data.to_parquet(file, index=False)
    return file.getvalue()
