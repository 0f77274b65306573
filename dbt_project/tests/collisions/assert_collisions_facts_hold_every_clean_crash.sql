-- A failure means that the fact, which is rebuilt by month, still has a deleted collision, lacks a new one or has one
-- in the wrong month: a full refresh of fct_collisions would give other figures.
with clean as (

    select
        collision_id,
        crash_at
    from {{ ref('clean_collisions__crashes') }}

),

facts as (

    select
        collision_id,
        crash_at,
        crash_month
    from {{ ref('fct_collisions') }}

)

select coalesce(clean.collision_id, facts.collision_id) as collision_id
from clean
full outer join facts on clean.collision_id = facts.collision_id
where
    clean.crash_at is distinct from facts.crash_at
    or {{ month_start('clean.crash_at') }} is distinct from facts.crash_month
