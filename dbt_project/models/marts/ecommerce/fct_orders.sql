{{ config(materialized='incremental', incremental_strategy='by_month', unique_key='order_month') }}

with orders as (

    select * from {{ ref('curated_ecommerce__orders') }}

),

sales as (

    select
        order_id,
        {{ date_key('order_date') }} as date_key,
        coalesce(customer_key, {{ unknown_key() }}) as customer_key,
        coalesce(product_key, {{ unknown_key() }}) as product_key,

        status,

        quantity,
        unit_price,
        line_total as revenue,
        line_cost as cost_of_goods,
        line_margin as margin,

        order_date,
        order_month,
        {{ run_timestamp() }} as _built_at
    from orders

)

select * from sales
