{{ failed_rules_audit(['sales', 'products']) }}
