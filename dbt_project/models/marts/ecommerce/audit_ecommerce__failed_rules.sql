{{ failed_rules_audit('raw_ecommerce', [
    {'entity': 'orders', 'quarantine': ref('quarantine_ecommerce__orders')},
    {
        'entity': 'customers', 'quarantine': ref('quarantine_ecommerce__customers'),
        'shown': ['customer_id', 'region', 'updated_at'],
    },
    {'entity': 'products', 'quarantine': ref('quarantine_ecommerce__products')},
]) }}
