-- A view, so that the fact, its only reader, computes only the months that it writes.
{{ config(materialized='view') }}

with trips as (

    select * from {{ ref('clean_taxi__trips') }}

),

curated as (

    select
        trip_key,

        vendor_id,
        passenger_count,
        {% for code, unknown in [('rate_code_id', 99), ('payment_type_id', 5)] %}
            coalesce({{ code }}, {{ unknown }}) as {{ code }},
        {% endfor %}
        {% for place in ['pickup', 'dropoff'] %}
            case
                when {{ in_subquery(place ~ '_location_id', 'select location_id from ' ~ ref('taxi_zones')) }}
                    then {{ place }}_location_id
                else 264 -- The zone "Unknown".
            end as {{ place }}_location_id,
        {% endfor %}
        store_and_fwd_flag,
        is_refund,

        trip_distance,
        {{ safe_divide('duration_seconds', 60, 2) }} as trip_minutes,
        {{ safe_divide('trip_distance * 3600', 'duration_seconds', 2) }} as miles_per_hour,
        {{ taxi_amounts() | join(', ') }},
        cast(
            case when fare_amount > 0 then {{ safe_divide('tip_amount', 'fare_amount', 4) }} end as decimal(18, 4)
        ) as tip_share,

        pickup_at,
        dropoff_at,
        cast(pickup_at as date) as pickup_date,
        {{ month_start('pickup_at') }} as pickup_month,
        cast(extract(hour from pickup_at) as integer) as pickup_hour,
        file_month,

        _source_file,
        _source_row,
        _row_id,
        _dlt_load_id,
        _validated_at
    from trips

)

select * from curated
