with crashes as (

    select * from {{ ref('curated_collisions__crashes') }}
    where has_valid_coordinates

),

places as (

    select
        crash_month,
        coalesce(borough, 'UNKNOWN') as borough,
        severity,
        cast(round(latitude, 2) as decimal(5, 2)) as latitude,
        cast(round(longitude, 2) as decimal(5, 2)) as longitude,
        persons_injured + persons_killed as casualties
    from crashes

),

totals as (

    select
        crash_month,
        borough,
        severity,
        latitude,
        longitude,
        count(*) as collisions,
        cast(sum(casualties) as bigint) as casualties
    from places
    group by crash_month, borough, severity, latitude, longitude

)

select * from totals
