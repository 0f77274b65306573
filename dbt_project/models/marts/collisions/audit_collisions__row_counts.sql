{{ load_audit('raw_collisions', [
    {
        'entity': 'crashes', 'raw': source('raw_collisions', 'crashes'), 'validated': ref('validated_collisions__crashes'),
        'clean': ref('clean_collisions__crashes'), 'quarantine': ref('quarantine_collisions__crashes'),
    },
]) }}
