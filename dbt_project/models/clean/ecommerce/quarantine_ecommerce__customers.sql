{{ quarantined_rows(
    judged=ref('judged_ecommerce__customers'),
    raw=source('raw_ecommerce', 'customers')
) }}
