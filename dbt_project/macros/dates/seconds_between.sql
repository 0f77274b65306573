{# Seconds from one timestamp to another, with fractions. #}
{% macro seconds_between(started, ended) -%}
    {{ return(adapter.dispatch('seconds_between')(started, ended)) }}
{%- endmacro %}

{% macro default__seconds_between(started, ended) -%}
    {#- Doubles before the subtraction, so that the last digits are equal on all engines. -#}
    cast(extract(epoch from {{ ended }}) as double precision) - cast(extract(epoch from {{ started }}) as double precision)
{%- endmacro %}
