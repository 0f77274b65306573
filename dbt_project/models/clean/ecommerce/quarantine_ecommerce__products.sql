{{ quarantined_rows(
    validated=ref('validated_ecommerce__products'),
    raw=source('raw_ecommerce', 'products')
) }}
