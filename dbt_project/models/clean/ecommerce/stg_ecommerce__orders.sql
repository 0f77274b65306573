with orders as (

    select
        {% for column in ['order_id', 'customer_id', 'product_id', 'quantity', 'unit_price', 'order_date', 'status'] %}
            {{ trimmed(column) }} as {{ column }},
        {% endfor %}
        _source_file,
        _source_row,
        _row_id,
        _dlt_load_id
    from {{ source('raw_ecommerce', 'orders') }}

),

loads as (

    {{ load_days('raw_ecommerce', 'orders') }}

),

staging as (

    select
        orders.order_id,
        orders.customer_id,
        orders.product_id,

        lower(orders.status) as status,

        {{ try_integer('orders.quantity') }} as quantity,
        {{ try_decimal('orders.unit_price', 4) }} as unit_price,

        {{ try_date('orders.order_date') }} as order_date,
        orders.order_date is not null as has_order_date,
        -- A shop's day starts up to half a day before the day in UTC.
        cast({{ dbt.dateadd('day', 1, 'loads.loaded_on') }} as date) as latest_date,

        orders._source_file,
        orders._source_row,
        orders._row_id,
        orders._dlt_load_id
    from orders
    left join loads on orders._dlt_load_id = loads._dlt_load_id

)

select * from staging
