{{ config(**incremental_by_load()) }}

{{ apply_quality_rules(staging=ref('stg_taxi__trips'), raw=source('raw_taxi', 'trips')) }}
