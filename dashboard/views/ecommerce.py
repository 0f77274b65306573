"""Sales and margin by day, category and region, and the history of a customer."""

import pandas as pd
import streamlit as st

from dashboard.figures import Card, bars, figure, formatted, lines, metric_card, metric_cards, numbers
from dashboard.filters import grain, period, some_of
from dashboard.metrics import ask_metrics
from dashboard.published import ask, ask_row

TITLE, ICON, GROUP, ORDER = "E-commerce", ":material/shopping_cart:", "Domains", 100

_SPAN = """
select min(order_date) as first, max(order_date) as last, list_sort(list(distinct category)) as categories,
    list_sort(list(distinct region)) as regions
from marts.agg_daily_order_revenue_by_region
"""
_CHOSEN = (
    "{time} between $first and $last",
    "list_contains($categories, {category})",
    "list_contains($regions, {region})",
)
_SUMS = ("orders", "revenue", "margin")
_BEST = "select customer_id, orders, revenue, first_order_date, last_order_date from marts.agg_customer_summary order by revenue desc limit 20"
_VERSIONS = "select region, valid_from, valid_to, is_current from marts.dim_customers where customer_id = ? order by valid_from"
_SUMMARY = "select orders, revenue, average_days_between_orders from marts.agg_customer_summary where customer_id = ?"
_MAX_ORDERS = 1000
# By the keys of a customer, so that little of the fact table is read.
_ORDERS = f"""
select orders.order_date, orders.order_id, orders.status, products.product_name, products.category, orders.quantity,
    orders.revenue
from marts.fct_orders as orders
inner join marts.dim_products as products on orders.product_key = products.product_key
where orders.customer_key in (select customer_key from marts.dim_customers where customer_id = ?)
order by orders.order_date desc, orders.order_id limit {_MAX_ORDERS}
"""


def show() -> None:
    st.title("Sales of the shop", anchor=False)
    span = ask_row("ecommerce", _SPAN)
    sales, customers = st.tabs(["Sales", "Customers"])
    with sales:
        _sales(span)
    with customers:
        _customers()


def _sales(span: pd.Series) -> None:
    dates, categories, regions, steps = st.columns([3, 3, 3, 2])
    first, last = period(dates, span, ask_metrics(["orders"], grain="day"))
    chosen_categories = some_of(categories, "Categories", list(span["categories"]))
    chosen_regions = some_of(regions, "Regions", list(span["regions"]))
    step = grain(steps, first, last)
    chosen = {"first": first, "last": last, "categories": chosen_categories, "regions": chosen_regions}
    numbers(*metric_cards(ask_metrics((*_SUMS, "margin_share"), where=_CHOSEN, parameters=chosen)))
    found = ask_metrics(["revenue", "margin"], grain=step, where=_CHOSEN, parameters=chosen)
    found = found.melt([step], var_name="measure", value_name="amount").sort_values([step, "measure"])
    chart = lines(found, step, "amount", "measure", y_title=f"Amount per {step} (shop's currency)")
    figure(f"Revenue and margin by {step}", found, chart, name="sales_by_day")
    for place, column in zip(st.columns(2), ("category", "region"), strict=True):
        with place:
            found = ask_metrics(_SUMS, [column], where=_CHOSEN, parameters=chosen, order="revenue desc")
            chart = bars(found, column, "revenue", title="Revenue (shop's currency)")
            figure(f"Revenue by {column}", found, chart, name=f"sales_by_{column}")
            chart = bars(found, column, "margin", title="Margin (shop's currency)")
            figure(f"Margin by {column}", found, chart, name=f"margin_by_{column}")


def _customers() -> None:
    best = ask("ecommerce", _BEST)
    wanted = st.text_input("Customer", placeholder="a customer number, such as those below").strip()
    if not wanted:
        figure("Customers with the highest revenue (shop's currency)", best, name="best_customers")
        return
    versions = ask("ecommerce", _VERSIONS, [wanted])
    if versions.empty:
        st.info(f"Customer {wanted} does not exist.")
        return
    summary = ask("ecommerce", _SUMMARY, [wanted])
    if not summary.empty:
        found = summary.iloc[0]
        numbers(
            metric_card("orders", found["orders"]),
            metric_card("revenue", found["revenue"]),
            Card("Days between orders", formatted(found["average_days_between_orders"], "{:,.1f}")),
        )
    figure(f"History of customer {wanted}", versions, name="customer_history")
    orders = ask("ecommerce", _ORDERS, [wanted])
    figure(f"Orders of customer {wanted} (at most {_MAX_ORDERS:,})", orders, name="customer_orders")
