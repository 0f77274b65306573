-- A table: a record of the API changes under its _row_id, and there are few.
{{ config(materialized='table') }}

{{ apply_quality_rules(
    staging=ref('stg_news__articles'), raw=source('raw_news', 'articles'), delivered_whole=false
) }}
