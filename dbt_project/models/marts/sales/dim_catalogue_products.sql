with products as (

    select
        product_key,
        product_id,
        product_code,
        product_name,
        category,
        price_category,
        catalogue_price,
        updated_at
    from {{ ref('curated_sales__products') }}

),

members as (

    select * from products
    union all
    {{ unknown_member({
        'product_key': unknown_key(), 'product_code': "'Unknown'", 'product_name': "'Unknown'",
        'category': "'Unknown'", 'price_category': "'Unknown'",
    }) }}

)

select * from members
