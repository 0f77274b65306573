{{ failed_rules_audit(['trips']) }}
