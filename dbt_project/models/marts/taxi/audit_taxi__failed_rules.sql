{{ failed_rules_audit('raw_taxi', [
    {'entity': 'trips', 'quarantine': ref('quarantine_taxi__trips')},
]) }}
