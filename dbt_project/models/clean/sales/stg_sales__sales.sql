{% set columns = {
    'store': {'type': 'text'},
    'product_id': {'type': 'bigint', 'is_code': true},
    'quantity': {'type': 'integer'},
    'price': {'type': 'decimal', 'places': 4},
    'sale_date': {'type': 'date', 'source': adapter.quote('date')},
} %}

with sales as (

    {{ stage_columns(source('raw_sales', 'sales'), columns) }}

),

loads as (

    {{ load_days('raw_sales', 'sales') }}

),

staging as (

    select
        sales.store,
        sales.product_id,

        sales.quantity,
        sales.price,

        sales.sale_date,
        -- A store's day starts up to half a day before the day in UTC.
        cast({{ dbt.dateadd('day', 1, 'loads.loaded_on') }} as date) as latest_date,

        sales._unreadable,
        sales._source_file,
        sales._source_row,
        sales._row_id,
        sales._dlt_load_id
    from sales
    left join loads on sales._dlt_load_id = loads._dlt_load_id

)

select * from staging
