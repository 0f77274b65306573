with zones as (

    select
        location_id,
        borough,
        zone,
        service_zone
    from {{ ref('taxi_zones') }}

)

select * from zones
