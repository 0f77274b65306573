with products as (

    select
        product_id,
        product_name,
        category,
        price,
        updated_at
    from {{ ref('clean_sales__products') }}

),

curated as (

    select
        {{ surrogate_key(['product_id']) }} as product_key,
        product_id,
        {{ upper_case('substr(category, 1, 3)') }} || case
            when product_id < 1000 then lpad(cast(product_id as {{ dbt.type_string() }}), 3, '0')
            else cast(product_id as {{ dbt.type_string() }})
        end as product_code,

        product_name,
        category,
        case
            when price < 25 then 'low'
            when price < 35 then 'medium'
            else 'high'
        end as price_category,

        price as catalogue_price,

        updated_at
    from products

)

select * from curated
