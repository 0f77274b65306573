{{ config(
    materialized='incremental',
    incremental_strategy='by_month',
    unique_key='pickup_month',
    meta={'fact_model': 'fct_trips', 'fact_rows': 'trips + refunds'}
) }}

with trips as (

    select
        pickup_month,
        cast(pickup_at as date) as pickup_date,
        cast(extract(hour from pickup_at) as integer) as pickup_hour,
        total_amount,
        is_refund,
        _built_at
    from {{ ref('fct_trips') }}

),

hours as (

    select
        pickup_month,
        pickup_date,
        pickup_hour,
        cast(sum(case when is_refund then 0 else 1 end) as bigint) as trips,
        cast(sum(case when is_refund then 1 else 0 end) as bigint) as refunds,
        cast(sum(total_amount) as decimal(18, 2)) as revenue,
        max(_built_at) as _source_built_at,
        {{ run_timestamp() }} as _built_at
    from trips
    group by pickup_month, pickup_date, pickup_hour

)

select * from hours
