{{ config(materialized='incremental', incremental_strategy='by_load', unique_key='_row_id') }}

{{ apply_quality_rules(staging=ref('stg_sales__sales'), raw=source('raw_sales', 'sales')) }}
