{{ load_audit('raw_sales', [
    {
        'entity': 'sales', 'raw': source('raw_sales', 'sales'), 'validated': ref('validated_sales__sales'),
        'clean': ref('clean_sales__sales'), 'quarantine': ref('quarantine_sales__sales'),
    },
    {
        'entity': 'products', 'raw': source('raw_sales', 'products'), 'validated': ref('validated_sales__products'),
        'clean': ref('clean_sales__products'), 'quarantine': ref('quarantine_sales__products'),
    },
]) }}
