-- A failure means that the fact, which is rebuilt by month, kept a trip that is gone or misses one that is new: a full
-- refresh of fct_trips would give other figures.
with clean as (

    select
        file_month,
        count(*) as trips,
        sum(total_amount) as total_amount
    from {{ ref('clean_taxi__trips') }}
    group by file_month

),

facts as (

    select
        file_month,
        count(*) as trips,
        sum(total_amount) as total_amount
    from {{ ref('fct_trips') }}
    group by file_month

)

select coalesce(clean.file_month, facts.file_month) as file_month
from clean
full outer join facts on clean.file_month = facts.file_month
where
    clean.trips is distinct from facts.trips
    or clean.total_amount is distinct from facts.total_amount
