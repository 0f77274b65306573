"""Daily sales by store."""

from typing import Any

import pandas as pd
import streamlit as st

from dashboard.figures import MAX_SERIES, bars, figure, lines, metric_cards, numbers
from dashboard.filters import grain, period, some_of
from dashboard.metrics import ask_metrics
from dashboard.published import ask, ask_row

TITLE, ICON, GROUP, ORDER = "Sales", ":material/store:", "Domains", 100

_SPAN = "select min(sale_date) as first, max(sale_date) as last from marts.agg_sales_by_store_day"
_STORES = "select store_name from marts.dim_stores order by store_name"
_CHOSEN = ("{time} between $first and $last", "list_contains($stores, {store_name})")
_SUMS = ("sales_lines", "pieces_sold", "sales_amount")
_OTHERS = "all other stores"


def show() -> None:
    st.title("Sales of the stores", anchor=False)
    span = ask_row("sales", _SPAN)
    dates, stores, steps = st.columns([3, 5, 2])
    first, last = period(dates, span, ask_metrics(["sales_lines"], grain="day"))
    chosen_stores = some_of(stores, "Stores", list(ask("sales", _STORES)["store_name"]))
    chosen = {"first": first, "last": last, "stores": chosen_stores}
    step = grain(steps, first, last)
    numbers(*metric_cards(ask_metrics(("selling_stores", *_SUMS), where=_CHOSEN, parameters=chosen)))
    by_store = ask_metrics(
        _SUMS, ["store_name"], where=_CHOSEN, parameters=chosen, order="sales_amount desc, store_name"
    )
    found = _steps(step, chosen, list(by_store["store_name"]))
    chart = lines(found, step, "sales_amount", "store_name", y_title=f"Amount per {step} (shop's currency)")
    figure(f"Sales by {step} and store", found, chart, name="sales_by_store_day")
    chart = bars(by_store, "store_name", "sales_amount", title="Amount (shop's currency)")
    figure("Sales by store", by_store, chart, name="sales_by_store")


def _steps(step: str, chosen: dict[str, Any], ranked: list[str]) -> pd.DataFrame:
    """Return the sales over time: the stores with the highest sales have a line each, all others share one."""
    first = MAX_SERIES - 1 if len(ranked) > MAX_SERIES else MAX_SERIES
    own = ask_metrics(
        _SUMS, ["store_name"], step, _CHOSEN, chosen | {"stores": ranked[:first]}, order=f"{step}, store_name"
    )
    if len(ranked) <= first:
        return own
    others = ask_metrics(_SUMS, (), step, _CHOSEN, chosen | {"stores": ranked[first:]})
    return pd.concat([own, others.assign(store_name=_OTHERS)], ignore_index=True)
