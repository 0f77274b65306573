{{ config(materialized='incremental', incremental_strategy='by_load', unique_key='_row_id') }}

{{ apply_quality_rules(staging=ref('stg_ecommerce__customers'), raw=source('raw_ecommerce', 'customers')) }}
