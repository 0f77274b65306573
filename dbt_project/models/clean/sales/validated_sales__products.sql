-- A table, because the API changes records under their _row_id, and because there are few.
{{ config(materialized='table') }}

{{ apply_quality_rules(
    staging=ref('stg_sales__products'), raw=source('raw_sales', 'products'), delivered_whole=false
) }}
