with trips as (

    select
        trip_key,

        vendor_id,
        passenger_count,
        rate_code_id,
        payment_type_id,
        pickup_location_id,
        dropoff_location_id,
        store_and_fwd_flag,

        trip_distance,
        {{ taxi_amounts() | join(', ') }},
        fare_amount < 0 or total_amount < 0 as is_refund,

        pickup_at,
        dropoff_at,
        duration_seconds,
        file_month,

        _source_file,
        _source_row,
        _row_id,
        _dlt_load_id,
        _validated_at
    from {{ ref('validated_taxi__trips') }}
    where row_status = 'valid'

)

select * from trips
