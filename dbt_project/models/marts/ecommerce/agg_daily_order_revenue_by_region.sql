{{ config(
    materialized='incremental',
    incremental_strategy='by_month',
    unique_key='order_month',
    meta={'fact_model': 'fct_orders', 'fact_rows': 'orders', 'joined_models': ['dim_products', 'dim_customers']}
) }}

with sales as (

    select * from {{ ref('fct_orders') }}

),

products as (

    select * from {{ ref('dim_products') }}

),

customers as (

    select * from {{ ref('dim_customers') }}

),

days as (

    select
        sales.order_month,
        sales.order_date,
        products.category,
        coalesce(customers.region, 'Unknown') as region,
        count(*) as orders,
        cast(sum(sales.quantity) as bigint) as quantity,
        cast(sum(sales.revenue) as decimal(18, 2)) as revenue,
        cast(sum(sales.margin) as decimal(18, 2)) as margin,
        max(sales._built_at) as _source_built_at,
        {{ run_timestamp() }} as _built_at
    from sales
    inner join products on sales.product_key = products.product_key
    inner join customers on sales.customer_key = customers.customer_key
    group by sales.order_month, sales.order_date, products.category, coalesce(customers.region, 'Unknown')

)

select * from days
