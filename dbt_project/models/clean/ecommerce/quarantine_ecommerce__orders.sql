{{ quarantined_rows(
    judged=ref('judged_ecommerce__orders'),
    raw=source('raw_ecommerce', 'orders')
) }}
