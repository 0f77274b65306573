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
    from {{ ref('validated_ecommerce__customers') }}
    where row_status = 'valid'

)

select * from customers
