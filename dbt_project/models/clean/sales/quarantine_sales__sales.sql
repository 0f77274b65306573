{{ quarantined_rows(
    judged=ref('judged_sales__sales'),
    raw=source('raw_sales', 'sales')
) }}
