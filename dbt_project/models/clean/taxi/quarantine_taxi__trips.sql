{{ quarantined_rows(
    judged=ref('judged_taxi__trips'),
    raw=source('raw_taxi', 'trips')
) }}
