"""Sales and margin by day, category and region, and the history of a customer."""

import pandas as pd
import streamlit as st

from dashboard.figures import bars, count, figure, formatted, lines, numbers, share
from dashboard.filters import grain, period, some_of
from dashboard.published import ask, ask_row

TITLE, ICON, GROUP, ORDER = "E-commerce", ":material/shopping_cart:", "Domains", 100

_SPAN = """
select min(order_date) as first, max(order_date) as last, list_sort(list(distinct category)) as categories,
    list_sort(list(distinct region)) as regions
from marts.agg_daily_order_revenue_by_region
"""
_CHOSEN = """
from marts.agg_daily_order_revenue_by_region
where order_date between $first and $last and list_contains($categories, category) and list_contains($regions, region)
"""
_SUMS = "sum(orders)::bigint as orders, sum(revenue) as revenue, sum(margin) as margin"
_TOTALS = f"select {_SUMS} {_CHOSEN}"
_STEPS = f"""
with steps as (select date_trunc('{{grain}}', order_date)::date as day, {_SUMS} {_CHOSEN} group by all)
select day, unnest([{{{{'measure': 'revenue', 'amount': revenue}}}}, {{{{'measure': 'margin', 'amount': margin}}}}], recursive := true)
from steps order by all
"""
_BY = f"select {{column}}, {_SUMS} {_CHOSEN} group by all order by revenue desc"
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
    dates, categories, regions, steps = st.columns([3, 3, 3, 1])
    first, last = period(dates, span)
    chosen_categories = some_of(categories, "Categories", list(span["categories"]))
    chosen_regions = some_of(regions, "Regions", list(span["regions"]))
    step = grain(steps, first, last)
    chosen = {"first": first, "last": last, "categories": chosen_categories, "regions": chosen_regions}
    totals = ask_row("ecommerce", _TOTALS, chosen)
    numbers(
        orders=count(totals["orders"]),
        revenue=count(totals["revenue"]),
        margin=count(totals["margin"]),
        margin_of_revenue=share(totals["margin"] / totals["revenue"] if totals["revenue"] else None),
    )
    found = ask("ecommerce", _STEPS.format(grain=step), chosen)
    chart = lines(found, "day", "amount", "measure", y_title=f"Amount per {step} (shop's currency)")
    figure(f"Revenue and margin by {step}", found, chart, name="sales_by_day")
    for place, column in zip(st.columns(2), ("category", "region"), strict=True):
        with place:
            found = ask("ecommerce", _BY.format(column=column), chosen)
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
            orders=count(found["orders"]),
            revenue=count(found["revenue"]),
            days_between_orders=formatted(found["average_days_between_orders"], "{:,.1f}"),
        )
    figure(f"History of customer {wanted}", versions, name="customer_history")
    orders = ask("ecommerce", _ORDERS, [wanted])
    figure(f"Orders of customer {wanted} (at most {_MAX_ORDERS:,})", orders, name="customer_orders")
