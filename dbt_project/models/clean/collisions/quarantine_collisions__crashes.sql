{{ quarantined_rows(
    'clean_collisions__crashes',
    typed=ref('typed_collisions__crashes'),
    raw=source('raw_collisions', 'crashes')
) }}
