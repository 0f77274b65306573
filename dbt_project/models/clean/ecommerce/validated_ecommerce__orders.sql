{{ config(materialized='incremental', incremental_strategy='by_load', unique_key='_row_id') }}

{{ apply_quality_rules(
    staging=ref('stg_ecommerce__orders'),
    raw=source('raw_ecommerce', 'orders'),
    references={
        'customer_exists': {
            'column': 'customer_id', 'relation': ref('clean_ecommerce__customers'), 'key': 'customer_id',
        },
        'product_exists': {
            'column': 'product_id', 'relation': ref('clean_ecommerce__products'), 'key': 'product_id',
        },
    },
) }}
