with crashes as (

    select * from {{ ref('clean_collisions__crashes') }}

),

vehicle_types as (

    select * from {{ ref('vehicle_types') }}

),

contributing_factors as (

    select * from {{ ref('contributing_factors') }}

),

reported as (

    {% for position in range(1, 6) %}
        select
            collision_id,
            {{ position }} as vehicle_position,
            {{ upper_case('vehicle_type_code_' ~ position) }} as reported_vehicle_type,
            contributing_factor_vehicle_{{ position }} as reported_factor,
            {{ upper_case('contributing_factor_vehicle_' ~ position) }} as factor_in_capitals
        from crashes
        where vehicle_type_code_{{ position }} is not null or contributing_factor_vehicle_{{ position }} is not null
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

vehicles as (

    select
        reported.collision_id,
        reported.vehicle_position,
        coalesce(vehicle_types.vehicle_type, reported.reported_vehicle_type, 'Unknown') as vehicle_type,
        case
            -- Codes of an old form; their meaning is not published.
            when {{ try_integer('reported.reported_factor') }} is not null then 'Unknown'
            else coalesce(contributing_factors.contributing_factor, reported.factor_in_capitals, 'Unknown')
        end as contributing_factor
    from reported
    left join vehicle_types on reported.reported_vehicle_type = vehicle_types.reported_vehicle_type
    left join contributing_factors on reported.factor_in_capitals = contributing_factors.reported_factor

)

select * from vehicles
