{{ quarantined_rows(
    judged=ref('judged_ecommerce__products'),
    raw=source('raw_ecommerce', 'products')
) }}
