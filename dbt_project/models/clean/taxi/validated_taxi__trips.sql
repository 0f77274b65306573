{{ config(materialized='incremental', incremental_strategy='by_load', unique_key='_row_id') }}

{{ apply_quality_rules(staging=ref('stg_taxi__trips'), raw=source('raw_taxi', 'trips')) }}
