-- A failure means that a page by day, one by hour and one by zone show different totals of the same trips, or that a
-- month was not summed up again after trips came, went or changed their amount. The mart with a row of its own is off.
with totals as (

    select
        'fct_trips' as mart,
        pickup_month,
        sum(case when is_refund then 0 else 1 end) as trips,
        sum(case when is_refund then 1 else 0 end) as refunds,
        sum(total_amount) as revenue
    from {{ ref('fct_trips') }}
    group by pickup_month
    {% for mart in ['agg_trips_by_day', 'agg_trips_by_day_hour', 'agg_trips_by_zone_hour'] %}
        union all
        select
            '{{ mart }}' as mart,
            pickup_month,
            sum(trips) as trips,
            sum(refunds) as refunds,
            sum(revenue) as revenue
        from {{ ref(mart) }}
        group by pickup_month
    {% endfor %}

)

select
    pickup_month,
    trips,
    refunds,
    revenue,
    min(mart) as mart,
    count(*) as marts
from totals
group by pickup_month, trips, refunds, revenue
having count(*) <> 4
