{{ failed_rules_audit(['crashes']) }}
