-- A table, because the API changes records under their _row_id, and because there are few.
{{ config(materialized='table') }}

{{ apply_quality_rules(
    staging=ref('stg_news__articles'), raw=source('raw_news', 'articles'), delivered_whole=false
) }}
