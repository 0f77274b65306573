{# Text without white space around it and with single spaces in it; text of white space alone is null. #}
{% macro squeeze(text) -%}
    {{ return(adapter.dispatch('squeeze')(text)) }}
{%- endmacro %}

{% macro duckdb__squeeze(text) -%}
    nullif(trim(regexp_replace({{ text }}, '\s+', ' ', 'g')), '')
{%- endmacro %}
