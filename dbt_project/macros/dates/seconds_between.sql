{# Seconds from one timestamp to another, with fractions. #}
{% macro seconds_between(started, ended) -%}
    {{ return(adapter.dispatch('seconds_between')(started, ended)) }}
{%- endmacro %}

{% macro duckdb__seconds_between(started, ended) -%}
    cast(epoch({{ ended }}) - epoch({{ started }}) as double)
{%- endmacro %}
