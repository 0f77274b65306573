with sales as (

    select
        {% for column in ['date', 'product_id', 'quantity', 'price'] %}
            {{ trimmed(adapter.quote(column)) }} as {{ column | replace('date', 'sale_date') }},
        {% endfor %}
        {{ normalize_whitespace('store') }} as store,
        _source_file,
        _source_row,
        _row_id,
        _dlt_load_id
    from {{ source('raw_sales', 'sales') }}

),

loads as (

    {{ load_days('raw_sales', 'sales') }}

),

staging as (

    select
        sales.store,
        {{ try_integer('sales.product_id', 'bigint') }} as product_id,

        {{ try_integer('sales.quantity') }} as quantity,
        {{ try_decimal('sales.price', 4) }} as price,

        {{ try_date('sales.sale_date') }} as sale_date,
        sales.sale_date is not null as has_sale_date,
        -- A store's day starts up to half a day before the day in UTC.
        cast({{ dbt.dateadd('day', 1, 'loads.loaded_on') }} as date) as latest_date,

        sales._source_file,
        sales._source_row,
        sales._row_id,
        sales._dlt_load_id
    from sales
    left join loads on sales._dlt_load_id = loads._dlt_load_id

)

select * from staging
