{{ load_audit('raw_taxi', [{
    'entity': 'trips', 'raw': source('raw_taxi', 'trips'), 'validated': ref('validated_taxi__trips'),
    'clean': ref('clean_taxi__trips'), 'quarantine': ref('quarantine_taxi__trips'),
}]) }}
