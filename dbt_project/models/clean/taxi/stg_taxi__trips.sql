{% set columns = {
    'vendor_id': {'type': 'integer', 'is_code': true},
    'passenger_count': {'type': 'integer'},
    'rate_code_id': {'type': 'integer', 'is_code': true},
    'payment_type_id': {'type': 'integer', 'is_code': true, 'source': 'payment_type'},
    'pickup_location_id': {'type': 'integer', 'is_code': true},
    'dropoff_location_id': {'type': 'integer', 'is_code': true},
    'store_and_fwd_flag': {'type': 'word', 'case': 'upper'},
    'trip_distance': {'type': 'decimal', 'places': 2},
    'pickup_at': {'type': 'local_timestamp', 'source': 'pickup_datetime'},
    'dropoff_at': {'type': 'local_timestamp', 'source': 'dropoff_datetime'},
    'file_month': {'type': 'expression', 'source': "cast(_partition || '-01' as date)"},
} %}
{% for amount in taxi_amounts() %}
    {% do columns.update({amount: {'type': 'decimal', 'places': 2}}) %}
{% endfor %}

with trips as (

    {{ stage_columns(source('raw_taxi', 'trips'), columns) }}

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
        -- Vendor 7 gives the time of the pick-up as that of the drop-off.
        case
            when not (vendor_id = 7 and pickup_at = dropoff_at)
                then {{ dbt.datediff('pickup_at', 'dropoff_at', 'second') }}
        end as duration_seconds,
        file_month,
        {{ month_start('pickup_at') }} = file_month as is_in_file_month,
        greatest(
            {{ dbt.datediff('pickup_at', 'file_month', 'day') }},
            {{ dbt.datediff('last_of_month', 'pickup_at', 'day') }},
            0
        ) as days_outside_month,

        _unreadable,
        _source_file,
        _source_row,
        _row_id,
        _dlt_load_id
    from dated

)

select * from staging
