{{ failed_rules_audit('raw_sales', [
    {'entity': 'sales', 'quarantine': ref('quarantine_sales__sales')},
    {'entity': 'products', 'quarantine': ref('quarantine_sales__products')},
]) }}
