{{ rows_of_facts([
    {
        'entity': 'published_days', 'raw': source('raw_ops', 'published_days'),
        'facts': [ref('agg_platform_day')],
    },
]) }}
