-- A failure means that an aggregate by day, hour or zone has other totals than the trips, for example because a month
-- was not aggregated again after its trips changed. Each row names an aggregate and a month.
{% set of_facts = {
    'trips': 'sum(case when is_refund then 0 else 1 end)',
    'refunds': 'sum(case when is_refund then 1 else 0 end)',
    'revenue': 'sum(total_amount)',
} %}
{% set of_aggregates = {'trips': 'sum(trips)', 'refunds': 'sum(refunds)', 'revenue': 'sum(revenue)'} %}
{% for mart in ['agg_trips_by_day', 'agg_trips_by_day_hour', 'agg_trips_by_zone_hour'] %}
    select
        '{{ mart }}' as mart,
        group_key as pickup_month
    from (
        {{ sum_differences(
            {'relation': ref('fct_trips'), 'by': 'pickup_month', 'sums': of_facts},
            {'relation': ref(mart), 'by': 'pickup_month', 'sums': of_aggregates},
        ) }}
    ) as differing
    {{ 'union all' if not loop.last }}
{% endfor %}
