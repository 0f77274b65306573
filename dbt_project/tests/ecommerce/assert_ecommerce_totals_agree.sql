-- A failure means that two reports on the same sales show different totals.
with totals as (

    select
        'fct_orders' as mart,
        count(*) as orders,
        sum(revenue) as revenue
    from {{ ref('fct_orders') }}
    union all
    select
        'agg_daily_order_revenue' as mart,
        sum(orders) as orders,
        sum(revenue) as revenue
    from {{ ref('agg_daily_order_revenue') }}
    union all
    select
        'agg_category_month' as mart,
        sum(orders) as orders,
        sum(revenue) as revenue
    from {{ ref('agg_category_month') }}
    union all
    select
        'agg_daily_order_revenue_by_region' as mart,
        sum(orders) as orders,
        sum(revenue) as revenue
    from {{ ref('agg_daily_order_revenue_by_region') }}
    union all
    select
        'agg_customer_summary' as mart,
        sum(orders) as orders,
        sum(revenue) as revenue
    from {{ ref('agg_customer_summary') }}

)

select totals.mart
from totals
inner join totals as facts on facts.mart = 'fct_orders'
where
    coalesce(totals.orders, 0) <> facts.orders
    or coalesce(totals.revenue, 0) <> coalesce(facts.revenue, 0)
