-- A failure means that a page by day, one by hour and one by zone show different totals of the same trips.
with totals as (

    select
        'facts' as mart,
        sum(case when is_refund then 0 else 1 end) as trips,
        sum(total_amount) as revenue
    from {{ ref('fct_trips') }}
    union all
    select
        'days' as mart,
        sum(trips) as trips,
        sum(revenue) as revenue
    from {{ ref('agg_trips_by_day') }}
    union all
    select
        'zones and hours' as mart,
        sum(trips) as trips,
        sum(revenue) as revenue
    from {{ ref('agg_trips_by_zone_hour') }}
    union all
    select
        'days and hours' as mart,
        sum(trips) as trips,
        sum(revenue) as revenue
    from {{ ref('agg_trips_by_day_hour') }}

)

select
    aggregates.mart,
    aggregates.trips,
    aggregates.revenue
from totals as aggregates
inner join totals as facts on facts.mart = 'facts'
where
    aggregates.trips is distinct from facts.trips
    or aggregates.revenue is distinct from facts.revenue
