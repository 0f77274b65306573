with products as (

    select
        product_id,

        product_name,
        category,

        unit_cost,

        loaded_on,

        _source_file,
        _source_row,
        _row_id,
        _dlt_load_id
    from {{ ref('validated_ecommerce__products') }}
    where row_status = 'valid'

)

select * from products
