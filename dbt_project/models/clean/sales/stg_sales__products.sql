with products as (

    select
        {{ trimmed('id') }} as product_id,
        {{ normalize_whitespace('name') }} as product_name,
        {{ normalize_whitespace('category') }} as category,
        {{ trimmed('price') }} as price,
        {{ trimmed('updated_at') }} as updated_at,
        _source_file,
        _source_row,
        _row_id,
        _dlt_load_id
    from {{ source('raw_sales', 'products') }}

),

staging as (

    select
        {{ try_integer('product_id', 'bigint') }} as product_id,

        product_name,
        category,

        {{ try_decimal('price', 4) }} as price,

        {{ try_timestamp('updated_at') }} as updated_at,

        _source_file,
        _source_row,
        _row_id,
        _dlt_load_id
    from products

)

select * from staging
