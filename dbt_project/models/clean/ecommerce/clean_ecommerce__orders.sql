with orders as (

    select
        order_id,
        customer_id,
        product_id,

        status,

        quantity,
        unit_price,

        order_date,
        {{ month_start('order_date') }} as order_month,

        _source_file,
        _source_row,
        _row_id,
        _dlt_load_id,
        _validated_at
    from {{ ref('validated_ecommerce__orders') }}
    where row_status = 'valid'

)

select * from orders
