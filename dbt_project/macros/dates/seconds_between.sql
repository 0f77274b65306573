{# Seconds from one timestamp to another, with fractions. #}
{% macro seconds_between(begun, ended) -%}
    {{ return(adapter.dispatch('seconds_between')(begun, ended)) }}
{%- endmacro %}

{% macro duckdb__seconds_between(begun, ended) -%}
    cast(epoch({{ ended }}) - epoch({{ begun }}) as double)
{%- endmacro %}

{% macro postgres__seconds_between(begun, ended) -%}
    {#- Doubles before they are subtracted, as on DuckDB, so that the last digits are the same. -#}
    cast(extract(epoch from {{ ended }}) as double precision)
    - cast(extract(epoch from {{ begun }}) as double precision)
{%- endmacro %}

{% macro spark__seconds_between(begun, ended) -%}
    cast({{ ended }} as double) - cast({{ begun }} as double)
{%- endmacro %}
