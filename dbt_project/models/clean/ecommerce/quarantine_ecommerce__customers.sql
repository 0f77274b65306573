{{ quarantined_rows(
    validated=ref('validated_ecommerce__customers'),
    raw=source('raw_ecommerce', 'customers')
) }}
