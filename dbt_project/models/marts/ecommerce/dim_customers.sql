with customers as (

    select
        customer_key,
        customer_id,
        region,
        email_hash,
        is_current,
        valid_from,
        valid_to,
        _built_at
    from {{ ref('curated_ecommerce__customers') }}

),

members as (

    select * from customers
    union all
    {{ unknown_member({
        'customer_key': unknown_key(), 'customer_id': "'Unknown'", 'is_current': 'true',
        'valid_from': "cast('" ~ var('calendar_from') ~ "' as date)", '_built_at': run_timestamp(),
    }) }}

)

select * from members
