{{ config(**incremental_by_load()) }}

{{ apply_quality_rules(staging=ref('stg_ecommerce__customers'), raw=source('raw_ecommerce', 'customers')) }}
