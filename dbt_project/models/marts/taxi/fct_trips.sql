{{ config(
    materialized='incremental',
    incremental_strategy='by_month',
    unique_key='file_month',
    meta={'compare_columns': ['_validated_at']},
    post_hook="{{ month_views('yellow_taxi', 'file_month') }}"
) }}

with trips as (

    select * from {{ ref('curated_taxi__trips') }}

),

facts as (

    select
        trip_key,
        {{ date_key('pickup_date') }} as pickup_date_key,
        pickup_location_id,
        dropoff_location_id,
        rate_code_id,
        payment_type_id,

        vendor_id,
        store_and_fwd_flag,
        is_refund,

        passenger_count,
        trip_distance,
        trip_minutes,
        miles_per_hour,
        {{ taxi_amounts() | join(', ') }},
        tip_share,

        pickup_at,
        dropoff_at,
        pickup_month,
        file_month,

        _dlt_load_id,
        _validated_at,
        {{ run_timestamp() }} as _built_at
    from trips

)

select * from facts
