{{ quarantined_rows(
    validated=ref('validated_collisions__crashes'),
    raw=source('raw_collisions', 'crashes')
) }}
