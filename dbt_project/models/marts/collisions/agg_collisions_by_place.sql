with crashes as (

    select * from {{ ref('curated_collisions__crashes') }}
    where has_valid_coordinates

),

places as (

    select
        crash_month,
        coalesce(borough, 'UNKNOWN') as borough,
        severity,
        -- A decimal of the delivered text: engines round halves of doubles differently.
        cast(round(cast(latitude as decimal(18, 9)), 2) as decimal(5, 2)) as latitude,
        cast(round(cast(longitude as decimal(18, 9)), 2) as decimal(5, 2)) as longitude,
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
