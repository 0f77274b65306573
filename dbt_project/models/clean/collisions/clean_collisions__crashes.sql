-- Bounding coordinates of the borough boundaries, from the metadata of the New York City Department of
-- City Planning (nybb, edition 06C).
{% set city = {'south': 40.495805, 'north': 40.915808, 'west': -74.257465, 'east': -73.699450} %}

with valid_crashes as (

    select * from {{ ref('validated_collisions__crashes') }}
    where row_status = 'valid'

),

located as (

    select
        *,
        -- 0/0 means "unknown" and is outside the box, like other wrong points.
        coalesce(
            latitude between {{ city.south }} and {{ city.north }}
            and longitude between {{ city.west }} and {{ city.east }},
            false
        ) as has_valid_coordinates
    from valid_crashes

),

crashes as (

    select
        collision_id,

        borough,
        zip_code,
        on_street_name,
        cross_street_name,
        off_street_name,
        case when has_valid_coordinates then latitude end as latitude,
        case when has_valid_coordinates then longitude end as longitude,
        has_valid_coordinates,
        contributing_factor_vehicle_1,
        contributing_factor_vehicle_2,
        contributing_factor_vehicle_3,
        contributing_factor_vehicle_4,
        contributing_factor_vehicle_5,
        vehicle_type_code_1,
        vehicle_type_code_2,
        vehicle_type_code_3,
        vehicle_type_code_4,
        vehicle_type_code_5,

        persons_injured,
        persons_killed,
        pedestrians_injured,
        pedestrians_killed,
        cyclists_injured,
        cyclists_killed,
        motorists_injured,
        motorists_killed,

        crash_at,
        crash_date,

        _source_file,
        _source_row,
        _row_id,
        _dlt_load_id
    from located

)

select * from crashes
