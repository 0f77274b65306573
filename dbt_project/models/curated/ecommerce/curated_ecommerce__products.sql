with states as (

    select
        product_id,
        product_name,
        category,
        unit_cost,
        loaded_on,
        _dlt_load_id,
        _source_row
    from {{ ref('clean_ecommerce__products') }}

),

history as (

    {{ scd2(
        'states', key=['product_id'], day='loaded_on', order_by=['_dlt_load_id', '_source_row'],
        attributes=['product_name', 'category', 'unit_cost'],
    ) }}

),

products as (

    select
        {{ surrogate_key(['product_id', 'changed_on']) }} as product_key,
        product_id,

        product_name,
        category,
        is_current,

        unit_cost,

        changed_on,
        valid_from,
        valid_to,
        {{ run_timestamp() }} as _built_at
    from history

)

select * from products
