{{ failed_rules_audit('raw_collisions', [
    {'entity': 'crashes', 'quarantine': ref('quarantine_collisions__crashes')},
]) }}
