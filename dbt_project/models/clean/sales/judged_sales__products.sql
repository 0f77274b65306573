-- A table: a record of the API changes under its _row_id, and there are few.
{{ config(materialized='table') }}

{{ judged_rows(
    typed=ref('typed_sales__products'), raw=source('raw_sales', 'products'), delivered_whole=false
) }}
