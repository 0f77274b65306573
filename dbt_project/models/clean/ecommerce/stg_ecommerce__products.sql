with products as (

    select
        {{ trimmed('product_id') }} as product_id,
        {{ normalize_whitespace('product_name') }} as product_name,
        {{ normalize_whitespace('category') }} as category,
        {{ trimmed('unit_cost') }} as unit_cost,
        _source_file,
        _source_row,
        _row_id,
        _dlt_load_id
    from {{ source('raw_ecommerce', 'products') }}

),

loads as (

    {{ load_days('raw_ecommerce', 'products') }}

),

staging as (

    select
        products.product_id,

        products.product_name,
        products.category,

        {{ try_decimal('products.unit_cost', 4) }} as unit_cost,

        loads.loaded_on,

        products._source_file,
        products._source_row,
        products._row_id,
        products._dlt_load_id
    from products
    left join loads on products._dlt_load_id = loads._dlt_load_id

)

select * from staging
