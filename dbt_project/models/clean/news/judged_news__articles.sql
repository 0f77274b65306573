{#- The API's rows are replaced one by one, not by load: all are judged in every run, and none is an older delivery. -#}
{{ config(materialized='table') }}

{% set each_by_itself -%}
    (
        select
            _row_id as _source_file,
            _replaces_row_id,
            _dlt_load_id
        from {{ source('raw_news', 'articles') }}
    ) as articles
{%- endset %}

{{ judged_rows(typed=ref('typed_news__articles'), raw=each_by_itself) }}
