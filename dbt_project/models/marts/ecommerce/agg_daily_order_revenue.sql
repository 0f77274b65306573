{{ config(
    materialized='incremental',
    incremental_strategy='by_month',
    unique_key='order_month',
    meta={'fact_model': 'fct_orders', 'fact_rows': 'orders', 'joined_models': ['dim_products']}
) }}

with sales as (

    select * from {{ ref('fct_orders') }}

),

products as (

    select * from {{ ref('dim_products') }}

),

days as (

    select
        sales.order_month,
        sales.order_date,
        products.category,
        count(*) as orders,
        cast(sum(sales.quantity) as bigint) as quantity,
        cast(sum(sales.revenue) as decimal(18, 2)) as revenue,
        cast(sum(case when sales.status in ('returned', 'cancelled') then sales.revenue else 0 end) as decimal(18, 2))
            as returned_or_cancelled_revenue,
        cast(sum(sales.margin) as decimal(18, 2)) as margin,
        max(sales._built_at) as _source_built_at
    from sales
    inner join products on sales.product_key = products.product_key
    group by sales.order_month, sales.order_date, products.category

),

daily_sales as (

    select
        order_month,
        order_date,
        category,
        orders,
        quantity,
        revenue,
        returned_or_cancelled_revenue,
        margin,
        {{ safe_divide('revenue', 'orders', 2) }} as average_order_value,
        _source_built_at,
        {{ run_timestamp() }} as _built_at
    from days

)

select * from daily_sales
