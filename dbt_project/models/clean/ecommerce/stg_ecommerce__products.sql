{% set columns = {
    'product_id': {'type': 'code'},
    'product_name': {'type': 'text'},
    'category': {'type': 'text'},
    'unit_cost': {'type': 'decimal', 'places': 4},
} %}

with products as (

    {{ stage_columns(source('raw_ecommerce', 'products'), columns) }}

),

loads as (

    {{ load_days('raw_ecommerce', 'products') }}

),

staging as (

    select
        products.product_id,

        products.product_name,
        products.category,

        products.unit_cost,

        loads.loaded_on,

        products._unreadable,
        products._source_file,
        products._source_row,
        products._row_id,
        products._dlt_load_id
    from products
    left join loads on products._dlt_load_id = loads._dlt_load_id

)

select * from staging
