{# Text as a decimal number with a fixed number of places (more are rounded, half away from zero), null where it is none. #}
{% macro try_decimal(text, places) -%}
    {{ return(adapter.dispatch('try_decimal')(text, places)) }}
{%- endmacro %}

{% macro duckdb__try_decimal(text, places) -%}
    try_cast({{ text }} as decimal(18, {{ places }}))
{%- endmacro %}
