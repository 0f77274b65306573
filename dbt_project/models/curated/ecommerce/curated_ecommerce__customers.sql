with states as (

    select
        customer_id,
        region,
        {{ sha256_hex('email') }} as email_hash,
        updated_at,
        cast(updated_at as date) as updated_on,
        _dlt_load_id,
        _source_row
    from {{ ref('clean_ecommerce__customers') }}

),

history as (

    {{ scd2(
        'states', key=['customer_id'], day='updated_on', order_by=['updated_at', '_dlt_load_id', '_source_row'],
        attributes=['region', 'email_hash'],
    ) }}

),

customers as (

    select
        {{ surrogate_key(['customer_id', 'changed_on']) }} as customer_key,
        customer_id,

        region,
        email_hash,
        is_current,

        changed_on,
        valid_from,
        valid_to,
        {{ run_timestamp() }} as _built_at
    from history

)

select * from customers
