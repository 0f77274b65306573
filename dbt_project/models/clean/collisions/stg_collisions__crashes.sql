{% set groups = {
    'persons': 'persons', 'pedestrians': 'pedestrians', 'cyclists': 'cyclist', 'motorists': 'motorist',
} %}
-- The download writes dates as 05/06/2022, the city's API as 2022-05-06T00:00:00.000.
{% set columns = {
    'collision_id': {'type': 'bigint', 'is_code': true},
    'crash_date': {'type': 'date', 'layouts': ['%m/%d/%Y', none]},
    'crash_time': {'type': 'timestamp', 'layouts': ['%H:%M', '%H:%M:%S']},
    'borough': {'type': 'text', 'case': 'upper'},
    'zip_code': {'type': 'code'},
    'latitude': {'type': 'double'},
    'longitude': {'type': 'double'},
    'on_street_name': {'type': 'text', 'case': 'upper'},
    'cross_street_name': {'type': 'text', 'case': 'upper'},
    'off_street_name': {'type': 'text', 'case': 'upper'},
} %}
{% for group, delivered_group in groups.items() %}
    {% for harm in ['injured', 'killed'] %}
        {% do columns.update({
            group ~ '_' ~ harm: {'type': 'integer', 'source': 'number_of_' ~ delivered_group ~ '_' ~ harm}
        }) %}
    {% endfor %}
{% endfor %}
-- A vehicle whose type or factor is "unknown" was there all the same; the seeds know these words.
{% for position in range(1, 6) %}
    {% do columns.update({
        'contributing_factor_vehicle_' ~ position: {'type': 'text', 'keeps_null_words': true},
        'vehicle_type_code_' ~ position: {'type': 'text', 'keeps_null_words': true},
    }) %}
{% endfor %}

with crashes as (

    {{ stage_columns(source('raw_collisions', 'crashes'), columns) }}

),

loads as (

    {{ load_days('raw_collisions', 'crashes') }}

),

staging as (

    select
        crashes.collision_id,

        cast(crashes.crash_date as {{ dbt.type_timestamp() }}) + (
            crashes.crash_time - cast('1900-01-01' as {{ dbt.type_timestamp() }})
        ) as crash_at,
        crashes.crash_date,
        crashes.crash_time as time_of_day,
        coalesce(loads.loaded_on, {{ load_day('crashes._dlt_load_id') }}) as loaded_on,

        crashes.borough,
        crashes.zip_code,
        crashes.latitude,
        crashes.longitude,
        crashes.on_street_name,
        crashes.cross_street_name,
        crashes.off_street_name,

        {% for group in groups %}
            crashes.{{ group }}_injured,
            crashes.{{ group }}_killed,
        {% endfor %}

        {% for position in range(1, 6) %}
            crashes.contributing_factor_vehicle_{{ position }},
            crashes.vehicle_type_code_{{ position }},
        {% endfor %}

        crashes._unreadable,
        crashes._source_file,
        crashes._source_row,
        crashes._row_id,
        crashes._dlt_load_id
    from crashes
    left join loads on crashes._dlt_load_id = loads._dlt_load_id

)

select * from staging
