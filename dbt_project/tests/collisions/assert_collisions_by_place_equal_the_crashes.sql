-- A failure means that the map does not show exactly the collisions that have coordinates.
with crashes as (

    select
        count(*) as collisions,
        coalesce(sum(persons_injured + persons_killed), 0) as casualties
    from {{ ref('curated_collisions__crashes') }}
    where has_valid_coordinates

),

places as (

    select
        coalesce(sum(collisions), 0) as collisions,
        coalesce(sum(casualties), 0) as casualties
    from {{ ref('agg_collisions_by_place') }}

)

select crashes.collisions
from crashes
cross join places
where crashes.collisions <> places.collisions or crashes.casualties <> places.casualties
