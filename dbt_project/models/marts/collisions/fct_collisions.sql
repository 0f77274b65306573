{{ config(materialized='incremental', incremental_strategy='by_month', unique_key='crash_month') }}

with crashes as (

    select * from {{ ref('curated_collisions__crashes') }}

),

collisions as (

    select
        collision_id,
        {{ date_key('crash_date') }} as date_key,
        {{ surrogate_key(['borough', 'zip_code', 'on_street_name', 'cross_street_name', 'off_street_name']) }}
            as location_key,
        {{ surrogate_key(['primary_contributing_factor']) }} as contributing_factor_key,

        severity,
        has_consistent_counts,

        persons_injured,
        persons_killed,
        pedestrians_injured,
        pedestrians_killed,
        cyclists_injured,
        cyclists_killed,
        motorists_injured,
        motorists_killed,
        other_persons_injured,
        other_persons_killed,
        persons_injured + persons_killed as casualties,

        crash_at,
        crash_month,
        {{ run_timestamp() }} as _built_at
    from crashes

)

select * from collisions
