{{ failed_rules_audit(['orders', 'customers', 'products']) }}
