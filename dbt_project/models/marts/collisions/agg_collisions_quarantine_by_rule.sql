{{ quarantine_by_rule('raw_collisions', [
    {'entity': 'crashes', 'quarantine': ref('quarantine_collisions__crashes')},
]) }}
