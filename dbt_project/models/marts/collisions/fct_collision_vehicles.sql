{{ config(materialized='incremental', incremental_strategy='by_month', unique_key='crash_month') }}

with vehicles as (

    select * from {{ ref('curated_collisions__vehicles') }}

),

crashes as (

    select * from {{ ref('curated_collisions__crashes') }}

),

collision_vehicles as (

    select
        vehicles.collision_id,
        vehicles.vehicle_position,
        {{ date_key('crashes.crash_date') }} as date_key,
        {{ surrogate_key(['vehicles.vehicle_type']) }} as vehicle_type_key,
        {{ surrogate_key(['vehicles.contributing_factor']) }} as contributing_factor_key,
        crashes.crash_month,
        {{ run_timestamp() }} as _built_at
    from vehicles
    inner join crashes on vehicles.collision_id = crashes.collision_id

)

select * from collision_vehicles
