{{ config(
    materialized='incremental',
    incremental_strategy='by_month',
    unique_key='pickup_month',
    meta={'fact_model': 'fct_trips', 'fact_rows': 'trips + refunds'}
) }}

with trips as (

    select
        pickup_month,
        pickup_location_id,
        cast(extract(hour from pickup_at) as integer) as pickup_hour,
        trip_minutes,
        tip_amount,
        total_amount,
        is_refund,
        _built_at
    from {{ ref('fct_trips') }}

),

hours as (

    select
        pickup_month,
        pickup_location_id,
        pickup_hour,
        sum(case when is_refund then 0 else 1 end) as trips,
        sum(case when is_refund then 1 else 0 end) as refunds,
        cast(sum(total_amount) as decimal(18, 2)) as revenue,
        cast(coalesce(sum(tip_amount), 0) as decimal(18, 2)) as tips,
        sum(case when not is_refund then trip_minutes end) as minutes,
        count(case when not is_refund then trip_minutes end) as timed_trips,
        max(_built_at) as _source_built_at
    from trips
    group by pickup_month, pickup_location_id, pickup_hour

),

averaged as (

    select
        pickup_month,
        pickup_location_id,
        pickup_hour,
        cast(trips as bigint) as trips,
        cast(refunds as bigint) as refunds,
        revenue,
        tips,
        {{ safe_divide('minutes', 'timed_trips', 2) }} as average_minutes,
        _source_built_at,
        {{ run_timestamp() }} as _built_at
    from hours

)

select * from averaged
