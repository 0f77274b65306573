{{ rows_by_file('raw_sales', [
    {
        'entity': 'sales', 'raw': source('raw_sales', 'sales'), 'judged': ref('judged_sales__sales'),
        'clean': ref('clean_sales__sales'), 'quarantine': ref('quarantine_sales__sales'),
    },
    {
        'entity': 'products', 'raw': source('raw_sales', 'products'), 'judged': ref('judged_sales__products'),
        'clean': ref('clean_sales__products'), 'quarantine': ref('quarantine_sales__products'),
    },
]) }}
