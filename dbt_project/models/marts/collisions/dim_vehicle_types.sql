with vehicle_types as (

    select vehicle_type from {{ ref('curated_collisions__vehicles') }}
    union
    select 'Unknown' as vehicle_type

),

keyed as (

    select
        {{ surrogate_key(['vehicle_type']) }} as vehicle_type_key,
        vehicle_type
    from vehicle_types

)

select * from keyed
