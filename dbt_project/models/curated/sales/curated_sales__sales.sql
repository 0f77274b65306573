-- A view, so that the fact, its only reader, joins and computes only the months that it writes.
{{ config(materialized='view') }}

with sales as (

    select * from {{ ref('clean_sales__sales') }}

),

products as (

    select * from {{ ref('curated_sales__products') }}

),

curated as (

    select
        {{ surrogate_key(['sales._row_id']) }} as sale_key,
        {{ surrogate_key(['sales.store']) }} as store_key,
        products.product_key,

        sales.store,
        sales.product_id,
        products.product_code,
        products.product_name,
        products.category as product_category,
        products.price_category,

        sales.quantity,
        sales.price,
        products.catalogue_price,
        cast(round(sales.quantity * sales.price, 2) as decimal(18, 2)) as total_amount,

        sales.sale_date,
        {{ month_start('sales.sale_date') }} as sale_month,

        sales._source_file,
        sales._source_row,
        sales._row_id,
        sales._dlt_load_id
    from sales
    left join products on sales.product_id = products.product_id

)

select * from curated
