{{ config(materialized='incremental', incremental_strategy='by_month', unique_key='sale_month') }}

with curated as (

    select * from {{ ref('curated_sales__sales') }}

),

sales as (

    select
        sale_key,
        {{ date_key('sale_date') }} as date_key,
        store_key,
        coalesce(product_key, {{ unknown_key() }}) as product_key,

        product_id,

        quantity,
        price,
        total_amount,

        sale_date,
        sale_month,
        {{ run_timestamp() }} as _built_at
    from curated

)

select * from sales
