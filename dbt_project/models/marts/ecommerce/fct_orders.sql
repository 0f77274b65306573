{{ config(
    materialized='incremental',
    incremental_strategy='by_month',
    unique_key='order_month',
    meta={
        'compare_columns': ['_validated_at'],
        'compare_model': 'clean_ecommerce__orders',
        'joined_models': ['curated_ecommerce__customers', 'curated_ecommerce__products'],
    }
) }}

-- depends_on: {{ ref('clean_ecommerce__orders') }}
-- depends_on: {{ ref('curated_ecommerce__customers') }}
-- depends_on: {{ ref('curated_ecommerce__products') }}

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
        _validated_at,
        {{ run_timestamp() }} as _built_at
    from orders

)

select * from sales
