{{ quarantined_rows(
    judged=ref('judged_collisions__crashes'),
    raw=source('raw_collisions', 'crashes')
) }}
