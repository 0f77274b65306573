with sales as (

    select
        store,
        product_id,

        quantity,
        price,

        sale_date,

        _source_file,
        _source_row,
        _row_id,
        _dlt_load_id
    from {{ ref('validated_sales__sales') }}
    where row_status = 'valid'

)

select * from sales
