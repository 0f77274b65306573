{# Cast a text to a double, or null. #}
{% macro try_double(text) -%}
    {{ return(adapter.dispatch('try_double')(text)) }}
{%- endmacro %}

{% macro duckdb__try_double(text) -%}
    try_cast({{ text }} as double)
{%- endmacro %}
