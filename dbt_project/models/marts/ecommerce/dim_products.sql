with products as (

    select
        product_key,
        product_id,
        product_name,
        category,
        unit_cost,
        is_current,
        valid_from,
        valid_to,
        _built_at
    from {{ ref('curated_ecommerce__products') }}

),

members as (

    select * from products
    union all
    {{ unknown_member({
        'product_key': unknown_key(), 'product_id': "'Unknown'", 'product_name': "'Unknown'", 'category': "'Unknown'",
        'is_current': 'true', 'valid_from': "cast('" ~ var('calendar_from') ~ "' as date)",
        '_built_at': run_timestamp(),
    }) }}

)

select * from members
