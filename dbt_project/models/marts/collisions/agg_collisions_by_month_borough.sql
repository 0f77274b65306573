{% set measures = [
    'persons_injured', 'persons_killed', 'pedestrians_injured', 'pedestrians_killed', 'cyclists_injured',
    'cyclists_killed', 'motorists_injured', 'motorists_killed', 'other_persons_injured', 'other_persons_killed',
    'casualties',
] %}

with collisions as (

    select * from {{ ref('fct_collisions') }}

),

locations as (

    select * from {{ ref('dim_locations') }}

),

totals as (

    select
        collisions.crash_month,
        locations.borough,
        {% for measure in measures %}
            cast(sum(collisions.{{ measure }}) as bigint) as {{ measure }},
        {% endfor %}
        count(*) as collisions,
        count(*) filter (where collisions.severity = 'fatal') as fatal_collisions,
        count(*) filter (where collisions.severity = 'injury') as injury_collisions
    from collisions
    inner join locations on collisions.location_key = locations.location_key
    group by collisions.crash_month, locations.borough

)

select * from totals
