{{ quarantine_by_rule('raw_taxi', [
    {'entity': 'trips', 'quarantine': ref('quarantine_taxi__trips')},
]) }}
