{{ failed_rules_audit(['articles']) }}
