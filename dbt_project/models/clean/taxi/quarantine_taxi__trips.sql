{{ quarantined_rows(
    validated=ref('validated_taxi__trips'),
    raw=source('raw_taxi', 'trips')
) }}
