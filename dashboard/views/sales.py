"""Daily sales by store."""

import streamlit as st

from dashboard.figures import MAX_SERIES, bars, count, figure, lines, numbers
from dashboard.filters import grain, period, some_of
from dashboard.published import ask, ask_row

TITLE, ICON, GROUP, ORDER = "Sales", ":material/store:", "Domains", 100

_SPAN = "select min(sale_date) as first, max(sale_date) as last from marts.agg_sales_by_store_day"
_STORES = "select store_name from marts.dim_stores order by store_name"
_CHOSEN = """
from marts.agg_sales_by_store_day
where sale_date between $first and $last and list_contains($stores, store_name)
"""
_SUMS = (
    "sum(sales_lines)::bigint as sales_lines, sum(quantity)::bigint as quantity, sum(total_amount) as amount"
)
_TOTALS = f"select {_SUMS}, count(distinct store_name) as stores {_CHOSEN}"
_BY_STORE = f"select store_name, {_SUMS} {_CHOSEN} group by all order by amount desc, store_name"
# The stores with the highest sales have a line each; all others share one.
_STEPS = f"""
with ranked as (
    select store_name, row_number() over (order by sum(total_amount) desc, store_name) as place {_CHOSEN}
    group by store_name
),

chosen as (select * {_CHOSEN})

select date_trunc('{{grain}}', chosen.sale_date)::date as day,
    case when ranked.place < {MAX_SERIES} then chosen.store_name else 'all other stores' end as store, {_SUMS}
from chosen inner join ranked on chosen.store_name = ranked.store_name
group by all order by all
"""


def show() -> None:
    st.title("Sales of the stores", anchor=False)
    span = ask_row("sales", _SPAN)
    dates, stores, steps = st.columns([3, 5, 1])
    first, last = period(dates, span)
    chosen_stores = some_of(stores, "Stores", list(ask("sales", _STORES)["store_name"]))
    chosen = {"first": first, "last": last, "stores": chosen_stores}
    step = grain(steps, first, last)
    totals = ask_row("sales", _TOTALS, chosen)
    numbers(
        stores=count(totals["stores"]),
        lines_reported=count(totals["sales_lines"]),
        pieces=count(totals["quantity"]),
        amount=count(totals["amount"]),
    )
    found = ask("sales", _STEPS.format(grain=step), chosen)
    chart = lines(found, "day", "amount", "store", y_title=f"Amount per {step} (shop's currency)")
    figure(f"Sales by {step} and store", found, chart, name="sales_by_store_day")
    found = ask("sales", _BY_STORE, chosen)
    chart = bars(found, "store_name", "amount", title="Amount (shop's currency)")
    figure("Sales by store", found, chart, name="sales_by_store")
