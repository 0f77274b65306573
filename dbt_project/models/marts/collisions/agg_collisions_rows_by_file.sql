{{ rows_by_file('raw_collisions', [
    {
        'entity': 'crashes', 'raw': source('raw_collisions', 'crashes'), 'judged': ref('judged_collisions__crashes'),
        'clean': ref('clean_collisions__crashes'), 'quarantine': ref('quarantine_collisions__crashes'),
    },
]) }}
