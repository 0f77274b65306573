-- A failure means that the monthly figures by borough differ from the collisions themselves.
{% set sums = {
    'persons_injured': 'sum(persons_injured)', 'persons_killed': 'sum(persons_killed)', 'casualties': 'sum(casualties)',
} %}
{{ sum_differences(
    {'relation': ref('fct_collisions'), 'by': 'crash_month', 'sums': dict(sums, collisions='count(*)')},
    {
        'relation': ref('agg_collisions_by_month_borough'), 'by': 'crash_month',
        'sums': dict(sums, collisions='sum(collisions)'),
    },
) }}
