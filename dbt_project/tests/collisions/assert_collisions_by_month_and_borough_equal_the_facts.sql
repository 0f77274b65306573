-- A failure means that the monthly figures by borough tell another story than the collisions themselves.
with facts as (

    select
        crash_month,
        count(*) as collisions,
        sum(persons_injured) as persons_injured,
        sum(persons_killed) as persons_killed,
        sum(casualties) as casualties
    from {{ ref('fct_collisions') }}
    group by crash_month

),

months as (

    select
        crash_month,
        sum(collisions) as collisions,
        sum(persons_injured) as persons_injured,
        sum(persons_killed) as persons_killed,
        sum(casualties) as casualties
    from {{ ref('agg_collisions_by_month_borough') }}
    group by crash_month

)

select coalesce(facts.crash_month, months.crash_month) as crash_month
from facts
full outer join months on facts.crash_month = months.crash_month
where
    facts.collisions is distinct from months.collisions
    or facts.persons_injured is distinct from months.persons_injured
    or facts.persons_killed is distinct from months.persons_killed
    or facts.casualties is distinct from months.casualties
