{% set delivered_columns = [
    'crash_date', 'crash_time', 'borough', 'zip_code', 'latitude', 'longitude',
    'on_street_name', 'cross_street_name', 'off_street_name',
    'number_of_persons_injured', 'number_of_persons_killed',
    'number_of_pedestrians_injured', 'number_of_pedestrians_killed',
    'number_of_cyclist_injured', 'number_of_cyclist_killed',
    'number_of_motorist_injured', 'number_of_motorist_killed',
    'contributing_factor_vehicle_1', 'contributing_factor_vehicle_2', 'contributing_factor_vehicle_3',
    'contributing_factor_vehicle_4', 'contributing_factor_vehicle_5', 'collision_id',
    'vehicle_type_code_1', 'vehicle_type_code_2', 'vehicle_type_code_3', 'vehicle_type_code_4', 'vehicle_type_code_5',
] %}
{% set groups = {
    'persons': 'persons', 'pedestrians': 'pedestrians', 'cyclists': 'cyclist', 'motorists': 'motorist',
} %}

with crashes as (

    select
        {% for column in delivered_columns %}
            {{ normalize_whitespace(column) }} as {{ column }},
        {% endfor %}
        _source_file,
        _source_row,
        _row_id,
        _dlt_load_id
    from {{ source('raw_collisions', 'crashes') }}

),

loads as (

    {{ load_days('raw_collisions', 'crashes') }}

),

staging as (

    select
        {{ try_integer('crashes.collision_id', 'bigint') }} as collision_id,

        {{ try_timestamp("crashes.crash_date || ' ' || crashes.crash_time", '%m/%d/%Y %H:%M') }} as crash_at,
        cast({{ try_timestamp('crashes.crash_date', '%m/%d/%Y') }} as date) as crash_date,
        {{ try_timestamp('crashes.crash_time', '%H:%M') }} as time_of_day,
        loads.loaded_on,

        {{ upper_case('crashes.borough') }} as borough,
        crashes.zip_code,
        {{ try_double('crashes.latitude') }} as latitude,
        {{ try_double('crashes.longitude') }} as longitude,
        {{ upper_case('crashes.on_street_name') }} as on_street_name,
        {{ upper_case('crashes.cross_street_name') }} as cross_street_name,
        {{ upper_case('crashes.off_street_name') }} as off_street_name,

        {% for group, delivered_group in groups.items() %}
            crashes.number_of_{{ delivered_group }}_injured,
            crashes.number_of_{{ delivered_group }}_killed,
            {{ try_integer('crashes.number_of_' ~ delivered_group ~ '_injured') }} as {{ group }}_injured,
            {{ try_integer('crashes.number_of_' ~ delivered_group ~ '_killed') }} as {{ group }}_killed,
        {% endfor %}

        {% for position in range(1, 6) %}
            crashes.contributing_factor_vehicle_{{ position }},
            crashes.vehicle_type_code_{{ position }},
        {% endfor %}

        crashes._source_file,
        crashes._source_row,
        crashes._row_id,
        crashes._dlt_load_id
    from crashes
    left join loads on crashes._dlt_load_id = loads._dlt_load_id

)

select * from staging
