{{ rows_by_file('raw_taxi', [{
    'entity': 'trips', 'raw': source('raw_taxi', 'trips'), 'judged': ref('judged_taxi__trips'),
    'clean': ref('clean_taxi__trips'), 'quarantine': ref('quarantine_taxi__trips'),
}]) }}
