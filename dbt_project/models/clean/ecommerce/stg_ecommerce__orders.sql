{% set columns = {
    'order_id': {'type': 'code'},
    'customer_id': {'type': 'code'},
    'product_id': {'type': 'code'},
    'status': {'type': 'word', 'case': 'lower'},
    'quantity': {'type': 'integer'},
    'unit_price': {'type': 'decimal', 'places': 4},
    'order_date': {'type': 'date'},
} %}

with orders as (

    {{ stage_columns(source('raw_ecommerce', 'orders'), columns) }}

),

loads as (

    {{ load_days('raw_ecommerce', 'orders') }}

),

staging as (

    select
        orders.order_id,
        orders.customer_id,
        orders.product_id,

        orders.status,
        case orders.status
            when 'placed' then 1
            when 'shipped' then 2
            when 'delivered' then 3
            when 'returned' then 4
            when 'cancelled' then 4
        end as status_rank,

        orders.quantity,
        orders.unit_price,

        orders.order_date,
        -- A shop's day starts up to half a day before the day in UTC.
        cast({{ dbt.dateadd('day', 1, 'loads.loaded_on') }} as date) as latest_date,

        orders._unreadable,
        orders._source_file,
        orders._source_row,
        orders._row_id,
        orders._dlt_load_id
    from orders
    left join loads on orders._dlt_load_id = loads._dlt_load_id

)

select * from staging
