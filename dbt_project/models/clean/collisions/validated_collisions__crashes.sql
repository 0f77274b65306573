{{ config(**incremental_by_load()) }}

{{ apply_quality_rules(staging=ref('stg_collisions__crashes'), raw=source('raw_collisions', 'crashes')) }}
