{{ config(**incremental_by_load()) }}

{{ apply_quality_rules(staging=ref('stg_ecommerce__products'), raw=source('raw_ecommerce', 'products')) }}
