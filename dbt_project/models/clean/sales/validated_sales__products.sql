-- A table: a record of the API changes under its _row_id, and there are few.
{{ config(materialized='table') }}

{{ apply_quality_rules(
    staging=ref('stg_sales__products'), raw=source('raw_sales', 'products'), delivered_whole=false
) }}
