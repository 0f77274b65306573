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
    from {{ ref('judged_sales__sales') }}
    where fate = 'clean'

)

select * from sales
