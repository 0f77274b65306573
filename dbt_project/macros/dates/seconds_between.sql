{# Seconds from one timestamp to another, with fractions. #}
{% macro seconds_between(begun, ended) -%}
    {{ return(adapter.dispatch('seconds_between')(begun, ended)) }}
{%- endmacro %}

{% macro duckdb__seconds_between(begun, ended) -%}
    cast(epoch({{ ended }}) - epoch({{ begun }}) as double)
{%- endmacro %}
