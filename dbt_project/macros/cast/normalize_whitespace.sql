{# Text without white space around it and with single spaces in it; text of white space alone is null. #}
{% macro normalize_whitespace(text) -%}
    {{ return(adapter.dispatch('normalize_whitespace')(text)) }}
{%- endmacro %}

{% macro duckdb__normalize_whitespace(text) -%}
    nullif(trim(regexp_replace({{ text }}, '\s+', ' ', 'g')), '')
{%- endmacro %}
