{{ quarantined_rows(
    judged=ref('judged_sales__products'),
    raw=source('raw_sales', 'products')
) }}
