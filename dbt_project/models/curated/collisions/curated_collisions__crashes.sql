with crashes as (

    select * from {{ ref('clean_collisions__crashes') }}

),

first_vehicles as (

    select * from {{ ref('curated_collisions__vehicles') }}
    where vehicle_position = 1

),

counted as (

    -- An empty count of a group means zero; an empty total is the sum of the groups.
    select
        *,
        coalesce(pedestrians_injured, 0) + coalesce(cyclists_injured, 0) + coalesce(motorists_injured, 0)
            as grouped_injured,
        coalesce(pedestrians_killed, 0) + coalesce(cyclists_killed, 0) + coalesce(motorists_killed, 0)
            as grouped_killed
    from crashes

),

totalled as (

    select
        *,
        coalesce(persons_injured, grouped_injured) as all_injured,
        coalesce(persons_killed, grouped_killed) as all_killed
    from counted

),

curated as (

    select
        totalled.collision_id,

        case
            when totalled.all_killed > 0 then 'fatal'
            when totalled.all_injured > 0 then 'injury'
            else 'property_damage'
        end as severity,
        coalesce(first_vehicles.contributing_factor, 'Unknown') as primary_contributing_factor,
        totalled.borough,
        totalled.zip_code,
        totalled.on_street_name,
        totalled.cross_street_name,
        totalled.off_street_name,
        totalled.latitude,
        totalled.longitude,
        totalled.has_valid_coordinates,

        totalled.all_injured as persons_injured,
        totalled.all_killed as persons_killed,
        coalesce(totalled.pedestrians_injured, 0) as pedestrians_injured,
        coalesce(totalled.pedestrians_killed, 0) as pedestrians_killed,
        coalesce(totalled.cyclists_injured, 0) as cyclists_injured,
        coalesce(totalled.cyclists_killed, 0) as cyclists_killed,
        coalesce(totalled.motorists_injured, 0) as motorists_injured,
        coalesce(totalled.motorists_killed, 0) as motorists_killed,
        greatest(totalled.all_injured - totalled.grouped_injured, 0) as other_persons_injured,
        greatest(totalled.all_killed - totalled.grouped_killed, 0) as other_persons_killed,
        totalled.all_injured >= totalled.grouped_injured
        and totalled.all_killed >= totalled.grouped_killed as has_consistent_counts,

        totalled.crash_at,
        totalled.crash_date,
        cast(extract(hour from totalled.crash_at) as integer) as crash_hour,
        {{ iso_weekday('totalled.crash_date') }} as crash_weekday,
        {{ month_start('totalled.crash_date') }} as crash_month,

        totalled._source_file,
        totalled._source_row,
        totalled._row_id,
        totalled._dlt_load_id
    from totalled
    left join first_vehicles on totalled.collision_id = first_vehicles.collision_id

)

select * from curated
