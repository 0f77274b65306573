{% macro postgres__iso_weekday(date) -%}
    cast(extract(isodow from {{ date }}) as integer)
{%- endmacro %}

{% macro postgres__seconds_between(started, ended) -%}
    {#- Cast before the subtraction, as on DuckDB, so that the last digits are equal. -#}
    cast(extract(epoch from {{ ended }}) as double precision)
    - cast(extract(epoch from {{ started }}) as double precision)
{%- endmacro %}
