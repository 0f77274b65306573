with customers as (

    select
        customer_id,

        customer_name,
        email,
        region,

        updated_at,

        _source_file,
        _source_row,
        _row_id,
        _dlt_load_id
    from {{ ref('judged_ecommerce__customers') }}
    where fate = 'clean'

)

select * from customers
