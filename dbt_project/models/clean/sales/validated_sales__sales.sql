{{ config(**incremental_by_load()) }}

{{ apply_quality_rules(staging=ref('stg_sales__sales'), raw=source('raw_sales', 'sales')) }}
