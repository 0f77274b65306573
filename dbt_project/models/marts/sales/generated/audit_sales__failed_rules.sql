{{ failed_rules_audit(['products', 'sales']) }}
