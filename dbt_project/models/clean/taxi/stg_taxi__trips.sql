with trips as (

    select
        {{ try_code('vendor_id') }} as vendor_id,
        {{ try_integer('passenger_count') }} as passenger_count,
        {{ try_code('rate_code_id') }} as rate_code_id,
        {{ try_code('payment_type') }} as payment_type_id,
        {{ try_integer('pickup_location_id') }} as pickup_location_id,
        {{ try_integer('dropoff_location_id') }} as dropoff_location_id,
        {{ trimmed('store_and_fwd_flag') }} as store_and_fwd_flag,

        {{ try_decimal('trip_distance', 2) }} as trip_distance,
        {% for amount in taxi_amounts() %}
            {{ try_decimal(amount, 2) }} as {{ amount }},
        {% endfor %}

        {{ try_timestamp('pickup_datetime') }} as pickup_at,
        {{ try_timestamp('dropoff_datetime') }} as dropoff_at,
        cast(_partition || '-01' as date) as file_month,

        _source_file,
        _source_row,
        _row_id,
        _dlt_load_id
    from {{ source('raw_taxi', 'trips') }}
    {{ optimizer_fence() }}

),

dated as (

    select
        trips.*,
        {{ dbt.dateadd('day', -1, dbt.dateadd('month', 1, 'file_month')) }} as last_of_month
    from trips

),

staging as (

    select
        {{ surrogate_key([
            'vendor_id', 'pickup_at', 'dropoff_at', 'pickup_location_id', 'dropoff_location_id', 'trip_distance',
            'payment_type_id', 'fare_amount', 'total_amount',
        ]) }} as trip_key,

        vendor_id,
        passenger_count,
        rate_code_id,
        payment_type_id,
        pickup_location_id,
        dropoff_location_id,
        store_and_fwd_flag,

        trip_distance,
        {{ taxi_amounts() | join(', ') }},

        pickup_at,
        dropoff_at,
        {{ dbt.datediff('pickup_at', 'dropoff_at', 'second') }}
            as duration_seconds,
        file_month,
        {{ month_start('pickup_at') }} = file_month as is_in_file_month,
        greatest(
            {{ dbt.datediff('pickup_at', 'file_month', 'day') }},
            {{ dbt.datediff('last_of_month', 'pickup_at', 'day') }},
            0
        ) as days_outside_month,

        _source_file,
        _source_row,
        _row_id,
        _dlt_load_id
    from dated

)

select * from staging
