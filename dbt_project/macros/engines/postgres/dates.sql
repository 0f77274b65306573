{% macro postgres__iso_weekday(date) -%}
    cast(extract(isodow from {{ date }}) as integer)
{%- endmacro %}

{% macro postgres__seconds_between(begun, ended) -%}
    {#- Doubles before they are subtracted, as on DuckDB, so that the last digits are the same. -#}
    cast(extract(epoch from {{ ended }}) as double precision)
    - cast(extract(epoch from {{ begun }}) as double precision)
{%- endmacro %}
