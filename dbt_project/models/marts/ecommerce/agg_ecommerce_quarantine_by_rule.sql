{{ quarantine_by_rule('raw_ecommerce', [
    {'entity': 'orders', 'quarantine': ref('quarantine_ecommerce__orders')},
    {
        'entity': 'customers', 'quarantine': ref('quarantine_ecommerce__customers'),
        'personal': ['name', 'email'],
    },
    {'entity': 'products', 'quarantine': ref('quarantine_ecommerce__products')},
]) }}
