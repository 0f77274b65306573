with stores as (

    select distinct
        store_key,
        store as store_name
    from {{ ref('curated_sales__sales') }}

)

select * from stores
