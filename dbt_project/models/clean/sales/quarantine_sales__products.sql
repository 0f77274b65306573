{{ quarantined_rows(
    validated=ref('validated_sales__products'),
    raw=source('raw_sales', 'products')
) }}
