{{ quarantined_rows(
    validated=ref('validated_sales__sales'),
    raw=source('raw_sales', 'sales')
) }}
