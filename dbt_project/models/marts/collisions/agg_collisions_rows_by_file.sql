{{ rows_by_file('raw_collisions', [
    {
        'entity': 'crashes', 'raw': source('raw_collisions', 'crashes'),
        'typed': ref('typed_collisions__crashes'), 'clean_model': 'clean_collisions__crashes',
        'clean': ref('clean_collisions__crashes'), 'quarantine': ref('quarantine_collisions__crashes'),
    },
]) }}
