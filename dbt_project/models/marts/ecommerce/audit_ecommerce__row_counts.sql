{{ load_audit('raw_ecommerce', [
    {
        'entity': 'orders', 'raw': source('raw_ecommerce', 'orders'), 'validated': ref('validated_ecommerce__orders'),
        'clean': ref('clean_ecommerce__orders'), 'quarantine': ref('quarantine_ecommerce__orders'),
    },
    {
        'entity': 'customers', 'raw': source('raw_ecommerce', 'customers'), 'validated': ref('validated_ecommerce__customers'),
        'clean': ref('clean_ecommerce__customers'), 'quarantine': ref('quarantine_ecommerce__customers'),
    },
    {
        'entity': 'products', 'raw': source('raw_ecommerce', 'products'), 'validated': ref('validated_ecommerce__products'),
        'clean': ref('clean_ecommerce__products'), 'quarantine': ref('quarantine_ecommerce__products'),
    },
]) }}
