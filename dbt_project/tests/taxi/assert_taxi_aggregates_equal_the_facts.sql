-- A failure means that an aggregate by day, hour or zone has other totals than the trips, for example because a month
-- was not aggregated again after its trips changed. Each row names an aggregate and a month.
{% set sums = {'trips': 'sum(trips)', 'refunds': 'sum(refunds)', 'revenue': 'sum(revenue)'} %}
with facts as (

    select
        pickup_month,
        sum(case when is_refund then 0 else 1 end) as trips,
        sum(case when is_refund then 1 else 0 end) as refunds,
        sum(total_amount) as revenue
    from {{ ref('fct_trips') }}
    group by pickup_month

)

{% for mart in ['agg_trips_by_day', 'agg_trips_by_day_hour', 'agg_trips_by_zone_hour'] %}
    select
        '{{ mart }}' as mart,
        group_key as pickup_month
    from (
        {{ sum_differences(
            {'relation': 'facts', 'by': 'pickup_month', 'sums': sums},
            {'relation': ref(mart), 'by': 'pickup_month', 'sums': sums},
        ) }}
    ) as differing
    {{ 'union all' if not loop.last }}
{% endfor %}
