-- Factors of collisions
-- How many collisions have each contributing factor, and in how many of them a person was harmed.
select
    factors.contributing_factor,
    count(*) as collisions,
    count(*) filter (where collisions.severity <> 'property_damage') as with_harm,
    sum(collisions.persons_killed)::bigint as persons_killed
from collisions.fct_collisions as collisions
inner join collisions.dim_contributing_factors as factors
    on collisions.contributing_factor_key = factors.contributing_factor_key
group by all
order by collisions desc
limit 20
