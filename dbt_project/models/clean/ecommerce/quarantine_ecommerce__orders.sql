{{ quarantined_rows(
    validated=ref('validated_ecommerce__orders'),
    raw=source('raw_ecommerce', 'orders')
) }}
